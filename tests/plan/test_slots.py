"""Which caches are a job's, and which of them are protected."""

from dataclasses import replace

import pytest

from executor.plan.labels import PREFIX
from executor.plan.slots import git_strategy, is_of_protected_ref, is_protected
from executor.plan.volumes import job_volumes
from executor.runner.payload import parse_job
from tests.builders import a_payload, a_variable, fetching, some_inputs


@pytest.mark.parametrize(
    ("value", "may_fetch", "wanted"),
    [
        ("fetch", False, "fetch"),
        ("clone", True, "clone"),
        ("none", True, "none"),
        ("empty", True, "empty"),
        ("", True, "fetch"),
        ("", False, "clone"),
        ("FETCH", False, "clone"),
        ("sideways", True, "fetch"),
    ],
)
def test_the_git_strategy_is_gitlab_runners(value: str, *, may_fetch: bool, wanted: str) -> None:
    """The job decides, else its project's settings, also where the job says nonsense."""
    inputs = some_inputs(allow_git_fetch=may_fetch, values={"GIT_STRATEGY": value})
    assert git_strategy(inputs) == wanted


@pytest.mark.parametrize(
    ("protected", "variables", "keys", "wanted"),
    [
        (None, [], [], False),
        (True, [], [], True),
        (False, ["true"], [], False),
        (None, ["true"], [], True),
        (None, ["true", "false"], [], True),
        (None, ["false", "true"], [], False),
        (False, [], ["main-protected"], True),
        (False, [], ["main-non_protected"], False),
        (True, [], ["main-non_protected"], True),
        (None, [], ["main", "other-protected"], True),
    ],
)
def test_caches_of_protected_refs_are_apart(
    *, protected: bool | None, variables: list[str], keys: list[str], wanted: bool
) -> None:
    """GitLab's word decides, else its first variable, or a cache key that GitLab marked."""
    given = [a_variable("CI_COMMIT_REF_PROTECTED", each) for each in variables]
    inputs = fetching(
        variables=given,
        git_info={"repo_url": "https://gitlab.example.com/g/p.git", "protected": protected},
        cache=[{"key": key} for key in keys],
    )
    assert is_protected(inputs.job) is wanted
    (builds,) = job_volumes(inputs).all
    assert builds.volume
    assert builds.source.endswith("-protected") is wanted
    assert builds.volume.labels[f"{PREFIX}.protected"] == str(wanted).lower()


@pytest.mark.parametrize(
    ("protected", "variables", "wanted"),
    [
        (None, [], False),
        (None, ["true"], True),
        (None, ["true", "false"], False),
        (None, ["false", "true"], False),
        (True, ["false"], True),
        (False, ["true"], False),
    ],
)
def test_whether_a_ref_is_protected(
    *, protected: bool | None, variables: list[str], wanted: bool
) -> None:
    """No variable of an author's makes it so, wherever it stands, and neither does a cache's key."""
    inputs = fetching(
        variables=[a_variable("CI_COMMIT_REF_PROTECTED", each) for each in variables],
        git_info={"repo_url": "https://gitlab.example.com/g/p.git", "protected": protected},
        cache=[{"key": "main-protected"}],
    )

    assert is_of_protected_ref(inputs.job) is wanted


def test_a_payload_says_what_volumes_go_by() -> None:
    """Fields of older runners may be missing."""
    job = parse_job(a_payload(allow_git_fetch=True, cache=[{"key": "a"}, {"key": "b"}]))
    assert (job.may_fetch, job.protected, job.cache_keys) == (True, None, ("a", "b"))
    assert replace(job, protected=False).protected is False
