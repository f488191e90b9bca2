"""How jobs end, why, and whose fault it is: closed words.  Pure."""

from typing import NamedTuple

from executor.record import words

SCRIPT_FAILURE, SYSTEM_FAILURE, CANCELED, TIMEOUT = (
    "script_failure",
    "system_failure",
    "canceled",
    "timeout",
)
RESULTS = (words.SUCCESS, SCRIPT_FAILURE, SYSTEM_FAILURE, CANCELED, TIMEOUT)
"""How a job ends, as GitLab tells it."""

NONE, UNKNOWN, GONE = "none", "unknown", "gone"
REASONS = (NONE, *dict.fromkeys(words.REASONS.values()), UNKNOWN, GONE)
"""Why: a stage's reason; `none` for success, `unknown` where no stage says it, `gone` where no stage came."""

JOB_AUTHOR, ADMINISTRATOR, NOBODY = "job author", "administrator", "nobody"

_AUTHORS = frozenset(
    ("script", "policy", "image", "unusable_image", "services", "option", "disk_filled")
)
ENDINGS = (
    (words.SUCCESS, NONE),
    *((SCRIPT_FAILURE, each) for each in REASONS if each in _AUTHORS),
    *((SYSTEM_FAILURE, each) for each in REASONS if each not in {*_AUTHORS, NONE, "cancelled"}),
    (CANCELED, words.CANCELLED),
    (TIMEOUT, words.CANCELLED),
)
"""The results with the reasons that go with them."""


class Ended(NamedTuple):
    """How a job ended."""

    key: str
    result: str
    reason: str

    @property
    def fault(self) -> str:
        """Return whose fault it is."""
        return fault_of(self.result, self.reason)


def fault_of(result: str, reason: str) -> str:
    """Return whose fault it is that a job ended so."""
    if result in (words.SUCCESS, CANCELED):
        return NOBODY
    if result == TIMEOUT or reason in _AUTHORS:
        return JOB_AUTHOR
    return ADMINISTRATOR
