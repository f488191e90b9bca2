"""What may be removed, by what is seen: the whole table."""

import itertools
from typing import Any

import pytest

from executor.sweep.verdict import (
    DEAD,
    GONE_SECONDS,
    OVER_SECONDS,
    Directories,
    Evidence,
    Judgement,
    Life,
    Verdict,
    Word,
    judge,
)

REMOVE, KEEP, UNDECIDED = Verdict.REMOVE, Verdict.KEEP, Verdict.UNDECIDED
ALIVE, GONE, UNKNOWN = Life.ALIVE, Life.GONE, Life.UNKNOWN
TWICE = GONE_SECONDS


def seen(*owners: Life, **more: Any) -> Evidence:
    return Evidence(owners)._replace(**more)


TABLE = {
    # The owner is dead: proof, whatever GitLab says of its ghost.
    "gone": (seen(GONE), REMOVE, "owner-gone"),
    "rebooted": (seen(Life.REBOOTED), REMOVE, "rebooted"),
    "container gone": (seen(Life.CONTAINER_GONE), REMOVE, "container-gone"),
    "dead twice": (seen(GONE, Life.REBOOTED), REMOVE, "owner-gone"),
    "a stage outlives it": (seen(GONE, stages=2), REMOVE, "owner-gone"),
    "GitLab waits for it": (seen(GONE, word=Word.RUNNING), REMOVE, "owner-gone"),
    "its directory stays": (seen(GONE, directories=Directories.THERE), REMOVE, "owner-gone"),
    # Nobody is seen whose the job could be, and one more look must say so.
    "idle": (seen(Life.IDLE), UNDECIDED, "seen-once"),
    "idle, and GitLab waits": (seen(Life.IDLE, word=Word.RUNNING), UNDECIDED, "seen-once"),
    "idle, and GitLab says that it is over": (
        seen(Life.IDLE, word=Word.OVER, over_seconds=OVER_SECONDS),
        REMOVE,
        "gitlab-over",
    ),
    "idle, and another lives": (
        seen(Life.IDLE, ALIVE, directories=Directories.THERE),
        KEEP,
        "owner-alive",
    ),
    "idle, and another is unknown": (seen(Life.IDLE, UNKNOWN), UNDECIDED, "owner-unknown"),
    # The owner lives: only a cleanup that failed leaves anything.
    "works": (seen(ALIVE, directories=Directories.THERE), KEEP, "owner-alive"),
    "hidden directory": (seen(ALIVE), KEEP, "owner-alive"),
    "works past its deadline": (seen(ALIVE, past_deadline=True), KEEP, "owner-alive"),
    "gone a first time": (seen(ALIVE, directories=Directories.GONE), UNDECIDED, "seen-once"),
    "gone too shortly": (
        seen(ALIVE, directories=Directories.GONE, gone_seconds=TWICE - 1),
        UNDECIDED,
        "seen-once",
    ),
    "gone twice": (
        seen(ALIVE, directories=Directories.GONE, gone_seconds=TWICE),
        REMOVE,
        "cleanup-failed",
    ),
    "gone, and a stage works": (
        seen(ALIVE, directories=Directories.GONE, gone_seconds=TWICE, stages=1),
        KEEP,
        "stage-alive",
    ),
    "gone, and GitLab waits": (
        seen(ALIVE, directories=Directories.GONE, gone_seconds=TWICE, word=Word.RUNNING),
        KEEP,
        "gitlab-running",
    ),
    "over, and works": (
        seen(ALIVE, directories=Directories.THERE, word=Word.OVER, over_seconds=OVER_SECONDS),
        KEEP,
        "owner-alive",
    ),
    # Nobody can tell of the owner: only GitLab's word counts, and it counts twice.
    "elsewhere": (seen(UNKNOWN), UNDECIDED, "owner-unknown"),
    "elsewhere, directory gone": (
        seen(UNKNOWN, directories=Directories.GONE, gone_seconds=TWICE),
        UNDECIDED,
        "owner-unknown",
    ),
    "elsewhere, running": (seen(UNKNOWN, word=Word.RUNNING), KEEP, "gitlab-running"),
    "elsewhere, over once": (seen(UNKNOWN, word=Word.OVER), UNDECIDED, "seen-once"),
    "elsewhere, over twice": (
        seen(UNKNOWN, word=Word.OVER, over_seconds=OVER_SECONDS),
        REMOVE,
        "gitlab-over",
    ),
    "elsewhere, over, stage works": (
        seen(UNKNOWN, word=Word.OVER, over_seconds=OVER_SECONDS, stages=1),
        KEEP,
        "stage-alive",
    ),
    "elsewhere, GitLab is away": (
        seen(UNKNOWN, word=Word.UNANSWERED),
        UNDECIDED,
        "gitlab-unanswered",
    ),
    "elsewhere, past its deadline": (seen(UNKNOWN, past_deadline=True), UNDECIDED, "past-deadline"),
    # Owners that differ: one sign of life, or one that nobody can tell of, outweighs the dead.
    "dead and alive": (seen(GONE, ALIVE, directories=Directories.THERE), KEEP, "owner-alive"),
    "dead and alive, gone twice": (
        seen(GONE, ALIVE, directories=Directories.GONE, gone_seconds=TWICE),
        REMOVE,
        "cleanup-failed",
    ),
    "dead and elsewhere": (seen(GONE, UNKNOWN), UNDECIDED, "owner-unknown"),
    "alive and elsewhere": (
        seen(ALIVE, UNKNOWN, directories=Directories.GONE, gone_seconds=TWICE),
        KEEP,
        "owner-alive",
    ),
    # Labels travel with images.
    "somebody else's object": (seen(GONE, stranger="web"), UNDECIDED, "other-object"),
    "no owner": (seen(), UNDECIDED, "owner-unknown"),
}


@pytest.mark.parametrize(("evidence", "verdict", "reason"), TABLE.values(), ids=TABLE)
def test_each_row_has_its_verdict(evidence: Evidence, verdict: Verdict, reason: str) -> None:
    """What is seen of a job decides what may be done."""
    assert judge(evidence) == Judgement(verdict, reason)


@pytest.mark.parametrize(("evidence", "verdict", "reason"), TABLE.values(), ids=TABLE)
def test_a_deadline_counts_for_no_living_job(
    evidence: Evidence, verdict: Verdict, reason: str
) -> None:
    """Asked for what is expired, no job goes that was not to go, but for those nobody tells of."""
    judged = judge(evidence, expired=True)

    if evidence.past_deadline and verdict is UNDECIDED:
        assert judged == Judgement(REMOVE, "past-deadline")
    else:
        assert judged == Judgement(verdict, reason)


def test_one_sign_of_life_outweighs_all_else() -> None:
    """Nothing is removed of a job one of whose signs says that it lives, whatever the others say."""
    lives: list[dict[str, Any]] = [
        {"owners": (ALIVE,), "directories": Directories.THERE},
        {"owners": (ALIVE,), "directories": Directories.UNKNOWN},
        {"owners": (UNKNOWN,), "word": Word.RUNNING},
        {"owners": (UNKNOWN,), "stages": 1},
        {"owners": (ALIVE,), "stages": 1},
    ]
    others: dict[str, tuple[Any, ...]] = {
        "directories": tuple(Directories),
        "word": tuple(Word),
        "stages": (0, 1),
        "past_deadline": (False, True),
    }
    for sign, values in itertools.product(lives, itertools.product(*others.values())):
        known = {**dict(zip(others, values, strict=True)), **sign}
        for more in (GONE, Life.REBOOTED):
            owners = known["owners"]
            assert isinstance(owners, tuple)
            said = {**known, "owners": (*owners, more), "gone_seconds": 1e9, "over_seconds": 1e9}
            evidence = Evidence(**said)
            assert judge(evidence, expired=True).verdict is not REMOVE, evidence


def test_what_cannot_be_told_is_never_removed_by_itself() -> None:
    """Without GitLab's word, or a deadline that somebody lets count, an unknown owner's job stays."""
    for directories, dead in itertools.product(Directories, [(), tuple(DEAD)]):
        evidence = Evidence((UNKNOWN, *dead), directories, gone_seconds=1e9, past_deadline=True)
        assert judge(evidence).verdict is UNDECIDED
