"""Where volumes are mounted when the job's variables are in their paths."""

import pytest

from executor.errors import UnsupportedJobOption
from executor.plan.inputs import Inputs
from executor.plan.volumes import job_volumes
from tests.builders import fetching, some_inputs

OWN = "dind-executor-4711-0123456789"


def sources(inputs: Inputs) -> dict[str, str]:
    """Return what is mounted where."""
    return {each.destination: each.source for each in job_volumes(inputs).all}


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("../etc", "must not contain .."),
        ("x/../../etc", "must not contain .."),
        ("a:ro", "is not an absolute path"),
        ("a\nb", "is not an absolute path"),
        ("/glcbt-64_sample-token", "contains a masked variable"),
    ],
)
def test_a_variable_does_not_leave_its_place(value: str, wrong: str) -> None:
    """The sentence names the administrator's entry and never the value, which may be a secret."""
    inputs = some_inputs(settings='docker.volumes = ["/cache/$DIR"]', values={"DIR": value})
    with pytest.raises(UnsupportedJobOption, match=wrong) as error:
        job_volumes(inputs)
    assert 'The volume "/cache/$DIR"' in str(error.value)
    assert value not in str(error.value)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("", "needs to be a non-root path"),
        ("./", "needs to be a non-root path"),
        ("run/dind-executor/docker", "belongs to dind-executor"),
        ("certs/client", "belongs to dind-executor"),
        ("builds", "covers the builds directory"),
    ],
)
def test_a_variable_does_not_lead_to_what_is_ours(value: str, wrong: str) -> None:
    """A job's variable cannot mount a volume over directories of dind-executor."""
    inputs = some_inputs(settings='docker.volumes = ["/srv:/$DIR"]', values={"DIR": value})
    with pytest.raises(UnsupportedJobOption, match=wrong):
        job_volumes(inputs)


def test_a_secret_of_a_vault_shows_in_no_destination() -> None:
    """gitlab-runner alone knows its value; it is masked all the same."""
    inputs = fetching(
        'docker.volumes = ["/cache/$A"]', values={"A": "of-a-vault"}, secrets={"A": {"file": False}}
    )
    with pytest.raises(UnsupportedJobOption, match="contains a masked variable"):
        job_volumes(inputs)
