"""The user that scripts run as."""

import pytest

from executor.errors import PolicyViolation
from executor.plan.environment import plan_environment
from executor.plan.images import plan_images
from executor.plan.inputs import Request
from tests.builders import a_request, a_service, a_variable


def _request(runner: str, job: str, allowed: list[str] | None) -> Request:
    return a_request(
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
def test_the_operators_user_goes_first(
    allowed: list[str], runner: str, job: str, expected: str
) -> None:
    """Then the job's, with its variables; no list admits anyone."""
    request = _request(runner, job, allowed)
    images = plan_images(request)

    assert plan_environment(request, images, None, None).build.user == expected


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
    request = _request(runner, job, allowed)

    with pytest.raises(PolicyViolation) as caught:
        plan_images(request)

    assert str(caught.value) == (f'user "{refused}" is not an allowed user: [{" ".join(allowed)}].')
