"""The user that scripts run as."""

import pytest

from executor.errors import PolicyViolation
from executor.plan.admission import admit_transport
from executor.plan.images import plan_images
from executor.plan.inputs import Inputs
from executor.plan.transport import Transport, transport
from tests.builders import a_service, a_variable, some_inputs, some_settings
from tests.plans import a_plan


def _inputs(runner: str, job: str, allowed: list[str] | None) -> Inputs:
    return some_inputs(
        image=a_service("alpine", executor_opts={"docker": {"user": job, "platform": ""}}),
        variables=[a_variable("WHO", "baba")],
        settings=f'[docker]\nuser = "{runner}"\nallowed_users = {allowed or []}'.replace("'", '"'),
    )


@pytest.mark.parametrize(
    ("allowed", "runner", "job", "expected"),
    [
        ([], "", "", ""),
        ([], "baba", "", "baba"),
        ([], "", "baba", "baba"),
        ([], "baba", "yaga", "baba"),
        (["baba"], "", "", ""),
        (["baba"], "baba", "", "baba"),
        (["baba"], "", "baba", "baba"),
        (["baba"], "baba", "yaga", "baba"),
        (["baba"], "", "$WHO", "baba"),
        (["1000:1000"], "", "1000:1000", "1000:1000"),
    ],
)
def test_the_administrators_user_goes_first(
    allowed: list[str], runner: str, job: str, expected: str
) -> None:
    """Then the job's, with its variables; no list admits anyone."""
    inputs = _inputs(runner, job, allowed)

    assert a_plan(inputs).build.user == expected


@pytest.mark.parametrize(
    ("allowed", "runner", "job", "refused"),
    [
        (["yaga"], "baba", "", "baba"),
        (["yaga"], "", "baba", "baba"),
        (["blammo"], "baba", "yaga", "baba"),
        (["yaga", "root"], "", "$WHO", "baba"),
    ],
)
def test_a_user_who_is_not_allowed(allowed: list[str], runner: str, job: str, refused: str) -> None:
    """Told before anything is pulled, in gitlab-runner's words."""
    inputs = _inputs(runner, job, allowed)

    with pytest.raises(PolicyViolation) as caught:
        plan_images(inputs)

    assert str(caught.value) == (f'user "{refused}" is not an allowed user: [{" ".join(allowed)}].')


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ({"DOCKER_TLS_CERTDIR": ""}, 'DOCKER_TLS_CERTDIR to ""'),
        ({"DOCKER_HOST": "tcp://docker:2375"}, "DOCKER_HOST to tcp://docker:2375"),
    ],
)
def test_plain_tcp_that_is_not_admitted(values: dict[str, str], culprit: str) -> None:
    """The sentence names the variable and the setting."""
    with pytest.raises(PolicyViolation) as caught:
        admit_transport(
            transport(values, {}), some_settings("[dind]\nallow_plain_tcp = false").dind
        )

    assert culprit in str(caught.value)
    assert "allow_plain_tcp" in str(caught.value)


@pytest.mark.parametrize("tls_job", [{}, {"DOCKER_TLS_CERTDIR": "/certs"}])
def test_tls_is_always_admitted(tls_job: dict[str, str]) -> None:
    """Whatever the administrator thinks of plain TCP."""
    way = transport(tls_job, {})
    admit_transport(way, some_settings("[dind]\nallow_plain_tcp = false").dind)
    assert way == Transport(tls=True, cert_dir="/certs")
