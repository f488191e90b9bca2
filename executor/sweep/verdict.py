"""What is seen of a job → whether what it left may be removed.

Pure: no I/O, no clock.  A verdict is one job's, never one object's: a second attempt of prepare finds
objects of the first one under their names and keeps them, labels and all.  One sign of life outweighs
all else, and what cannot be told is neither life nor death.
"""

from enum import StrEnum
from typing import NamedTuple

GONE_SECONDS = 120.0
"""How long the directories of a job whose gitlab-runner lives must have been seen gone."""

OVER_SECONDS = 60.0
"""How long GitLab must have said that a job is over, where nothing else tells."""


class Life(StrEnum):
    """What is known of a gitlab-runner process that a job belongs to."""

    ALIVE = "alive"
    GONE = "owner-gone"
    REBOOTED = "rebooted"
    CONTAINER_GONE = "container-gone"
    IDLE = "idle"
    """None has such a job at the moment; where that is so once more, it is gone."""
    UNKNOWN = "unknown"


DEAD = frozenset((Life.GONE, Life.REBOOTED, Life.CONTAINER_GONE))
"""What is proof that no stage of the job is called any more."""


class Directories(StrEnum):
    """What is known of a job's temporary directories, as its gitlab-runner sees them."""

    THERE = "there"
    GONE = "gone"
    UNKNOWN = "unknown"


class Word(StrEnum):
    """What GitLab says of a job."""

    NOT_ASKED = "not-asked"
    RUNNING = "running"
    OVER = "over"
    UNANSWERED = "unanswered"


class Evidence(NamedTuple):
    """All that is known of one job."""

    owners: tuple[Life, ...]
    """One for each owner that an object or a directory of the job names, one at least."""
    directories: Directories = Directories.UNKNOWN
    gone_seconds: float = 0.0
    """For how long the directories have been seen gone."""
    stages: int = 0
    """How many processes of stages of the job live."""
    word: Word = Word.NOT_ASKED
    over_seconds: float = 0.0
    """For how long GitLab has said that the job is over."""
    stranger: str = ""
    """An object with the job's label that is not named as the job's are."""
    past_deadline: bool = False


class Verdict(StrEnum):
    """What may be done about what a job left."""

    REMOVE = "remove"
    KEEP = "keep"
    UNDECIDED = "undecided"


class Judgement(NamedTuple):
    """A verdict, and why."""

    verdict: Verdict
    reason: str
    """One word of the tables in docs/operating.md."""


def judge(evidence: Evidence, *, expired: bool = False) -> Judgement:
    """Return what may be done; `expired` lets a deadline count where nothing else tells.

    Stages that live must have ended before anything is removed.
    """
    if evidence.stranger:
        return Judgement(Verdict.UNDECIDED, "other-object")
    if evidence.owners and all(each in DEAD for each in evidence.owners):
        return Judgement(Verdict.REMOVE, str(evidence.owners[0]))
    is_idle = bool(evidence.owners) and all(each in {*DEAD, Life.IDLE} for each in evidence.owners)
    if is_idle and evidence.word is not Word.OVER:
        return Judgement(Verdict.UNDECIDED, "seen-once")
    if evidence.word is Word.RUNNING:
        return Judgement(Verdict.KEEP, "gitlab-running")
    if Life.ALIVE in evidence.owners:
        return _of_living(evidence)
    return _of_unknown(evidence, expired=expired)


def _of_living(evidence: Evidence) -> Judgement:
    """Judge a job whose gitlab-runner works on: only a cleanup that failed leaves anything."""
    if evidence.stages:
        return Judgement(Verdict.KEEP, "stage-alive")
    if evidence.directories is not Directories.GONE or Life.UNKNOWN in evidence.owners:
        return Judgement(Verdict.KEEP, "owner-alive")
    if evidence.gone_seconds < GONE_SECONDS:
        return Judgement(Verdict.UNDECIDED, "seen-once")
    return Judgement(Verdict.REMOVE, "cleanup-failed")


def _of_unknown(evidence: Evidence, *, expired: bool) -> Judgement:
    """Judge a job of whose gitlab-runner nothing can be told from here."""
    if evidence.stages:
        return Judgement(Verdict.KEEP, "stage-alive")
    if evidence.word is Word.OVER and evidence.over_seconds >= OVER_SECONDS:
        return Judgement(Verdict.REMOVE, "gitlab-over")
    if evidence.past_deadline:
        verdict = Verdict.REMOVE if expired else Verdict.UNDECIDED
        return Judgement(verdict, "past-deadline")
    if evidence.word is Word.OVER:
        return Judgement(Verdict.UNDECIDED, "seen-once")
    if evidence.word is Word.UNANSWERED:
        return Judgement(Verdict.UNDECIDED, "gitlab-unanswered")
    return Judgement(Verdict.UNDECIDED, "owner-unknown")
