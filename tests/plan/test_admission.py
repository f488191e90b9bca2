"""The user that scripts run as."""

import pytest

from executor.errors import PolicyViolation
from executor.plan.images import plan_images
from executor.plan.inputs import Inputs
from tests.builders import a_service, a_variable, some_inputs
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
def test_the_operators_user_goes_first(
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
