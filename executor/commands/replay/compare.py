"""Whether a job that ran again failed as it did when it was captured.  Pure."""

import re
from collections.abc import Mapping
from typing import Any

from executor.local.runner.outcome import Outcome, Result

_NAMES = re.compile(r"dind-executor-\d+-[0-9a-f]+")
_NUMBERS = re.compile(r"\b[0-9a-f]{12,64}\b|\b\d+(?:\.\d+)?\b")
_SPACES = re.compile(r"\s+")
_LONGEST = 120
"""How much of a sentence is compared: a job log shows no more than people read of a long one."""


def is_same(then: Mapping[str, Any], outcome: Outcome, log: str) -> bool:
    """Tell whether the kind of failure, the exit code and the sentence are the same.

    Names of the job's objects, numbers and digests are another job's, and do not count.
    """
    code = then.get("script_exit_code")
    if code is not None:
        return outcome.result is Result.FAILED and outcome.exit_code == code
    wanted = Result.FAILED if then.get("is_build_failure") else Result.SYSTEM_FAILURE
    return outcome.result is wanted and sentence_of(then) in plain(log)


def sentence_of(then: Mapping[str, Any]) -> str:
    """Return how the sentence begins that was said then, as `plain` has it."""
    return plain(str(then.get("sentence") or ""))[:_LONGEST]


def plain(text: str) -> str:
    """Return a text on one line, without what differs from job to job."""
    return _SPACES.sub(" ", _NUMBERS.sub("0", _NAMES.sub("JOB", text))).strip()


def told(then: Mapping[str, Any]) -> str:
    """Return how the job failed then, in words."""
    where = str(then.get("sub_stage") or then.get("stage") or "an unknown stage")
    code = then.get("script_exit_code")
    if code is not None:
        return f"{where} ended with exit code {code}"
    whose = "job author" if then.get("is_build_failure") else "administrator"
    return f"{where} failed, for the {whose} to correct: {then.get('sentence') or then.get('kind')}"


def now(outcome: Outcome) -> str:
    """Return how it ended this time, in words."""
    code = f" with exit code {outcome.exit_code}" if outcome.exit_code else ""
    return f"{outcome.result.value}{code}"
