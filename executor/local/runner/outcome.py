"""How a job ends: what is told about it, and the failures on the way there."""

import enum
from dataclasses import dataclass

from executor.local.pipeline.model import RETRY_ALWAYS, Retry


class Result(enum.Enum):
    """How a job ended."""

    SUCCESS = "success"
    FAILED = "failed"
    SYSTEM_FAILURE = "system failure"
    TIMED_OUT = "timed out"
    CANCELED = "canceled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told about a job in the end; the seconds are those of its calls, in order.

    A try that was followed by another one counts for nothing.
    """

    name: str
    result: Result
    is_allowed_to_fail: bool = False
    exit_code: int = 0
    seconds: tuple[tuple[str, float], ...] = ()
    is_retried: bool = False
    record: tuple[str, str] = ("", "")
    """Where the hooks have left the job's record, and under which key; "" for both if unknown."""

    @property
    def stops_pipeline(self) -> bool:
        """Whether the jobs that wait for this one do not run, and the pipeline fails."""
        return (
            self.result is not Result.SUCCESS
            and not self.is_allowed_to_fail
            and not self.is_retried
        )


# Why a call is cancelled when a time limit is over: gitlab-runner's words.
JOB_TIMED_OUT = "execution took longer than"
SCRIPT_TIMED_OUT = "script timeout: context deadline exceeded"
STAGE_TIMED_OUT = "context deadline exceeded"

# What `retry: when` calls the ways to fail; a cancelled job is never tried again.
_REASONS = {
    Result.FAILED: "script_failure",
    Result.SYSTEM_FAILURE: "runner_system_failure",
    Result.TIMED_OUT: "job_execution_timeout",
}


def is_worth_retrying(retry: Retry, outcome: Outcome) -> bool:
    """Tell whether a job wants another try after this outcome, if it has one left."""
    reason = _REASONS.get(outcome.result)
    if reason is None:
        return False
    return (
        RETRY_ALWAYS in retry.when
        or reason in retry.when
        or (outcome.result is Result.FAILED and outcome.exit_code in retry.exit_codes)
    )


class ScriptFailure(Exception):
    """The author's failure, with the exit code that GitLab would be told."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit status {exit_code}")
        self.exit_code = exit_code


class ConfigurationFailure(Exception):
    """The registration or the job says something wrong, so that another try would not help."""


class SystemFailure(Exception):
    """A failure of the hooks or their host, which in prepare is worth another try."""


class Stopped(Exception):
    """The call was cancelled; how it ended means nothing."""

    @property
    def is_late(self) -> bool:
        """Whether it was a time limit that cancelled it."""
        return str(self).startswith((JOB_TIMED_OUT, SCRIPT_TIMED_OUT, STAGE_TIMED_OUT))
