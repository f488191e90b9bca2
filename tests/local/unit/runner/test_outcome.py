"""How a job ends, and which failures are worth another try."""

import pytest

from executor.local.pipeline.model import Retry
from executor.local.runner.outcome import Outcome, Result, is_worth_retrying


@pytest.mark.parametrize(
    ("retry", "result", "exit_code", "expected"),
    [
        (Retry(1, ("always",)), Result.FAILED, 1, True),
        (Retry(1, ("always",)), Result.CANCELED, 0, False),
        (Retry(1, ("always",)), Result.SUCCESS, 0, False),
        (Retry(1, ("script_failure",)), Result.FAILED, 1, True),
        (Retry(1, ("script_failure",)), Result.SYSTEM_FAILURE, 0, False),
        (Retry(1, ("runner_system_failure",)), Result.SYSTEM_FAILURE, 0, True),
        (Retry(1, ("job_execution_timeout",)), Result.TIMED_OUT, 0, True),
        (Retry(1, (), (42,)), Result.FAILED, 42, True),
        (Retry(1, (), (42,)), Result.FAILED, 1, False),
        (Retry(1, ("runner_system_failure",), (42,)), Result.SYSTEM_FAILURE, 0, True),
    ],
)
def test_a_failure_is_worth_another_try_by_its_reason_or_exit_code(
    retry: Retry,
    result: Result,
    exit_code: int,
    expected: object,
) -> None:
    """A cancelled job is never worth another try."""
    assert is_worth_retrying(retry, Outcome("job", result, exit_code=exit_code)) is expected
