"""How a job ends: what is told about it, and the failures on the way there."""

import enum
from dataclasses import dataclass


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
    """What is told about a job in the end; the seconds are those of its calls, in order."""

    name: str
    result: Result
    is_allowed_to_fail: bool = False
    exit_code: int = 0
    seconds: tuple[tuple[str, float], ...] = ()

    @property
    def stops_pipeline(self) -> bool:
        """Whether later stages do not run."""
        return self.result is not Result.SUCCESS and not self.is_allowed_to_fail


class ScriptFailure(Exception):
    """The author's failure, with the exit code that GitLab would be told."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit status {exit_code}")
        self.exit_code = exit_code


class ConfigurationFailure(Exception):
    """The registration or the job says something that trying again would not mend."""


class DriverFailure(Exception):
    """A system failure: the operator's, worth another try in prepare."""


class Stopped(Exception):
    """The call was cancelled; how it ended means nothing."""
