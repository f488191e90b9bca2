"""How often a script may begin where its container is lost."""

import pytest

from executor.runner.environ import RunnerEnv
from executor.scripts.retries import _attempts


@pytest.mark.parametrize(
    ("text", "attempts"),
    [("", 1), ("1", 1), ("2", 2), ("10", 10), ("11", 1), ("999", 1), ("0", 1), ("-1", 1), ("x", 1)],
)
def test_a_number_of_attempts_out_of_range_is_one(text: str, attempts: int) -> None:
    """One attempt is made, as gitlab-runner says when it warns."""
    given = RunnerEnv({"CUSTOM_ENV_EXECUTOR_JOB_SECTION_ATTEMPTS": text})
    assert _attempts(given) == attempts
