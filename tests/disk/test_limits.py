"""How much has to stay free, and which job is ended."""

import pytest

from executor.disk.limits import (
    BYTES,
    INODES,
    Ending,
    Limits,
    Situation,
    Written,
    is_to_end,
    line,
    silent,
)
from executor.host.disk import Free
from tests.builders import some_settings

GIB = 1 << 30
LIMITS = Limits(GIB, GIB, 1000)
MANY = 1_000_000


def test_the_limits_of_the_settings() -> None:
    """Sizes are read as they are written."""
    settings = some_settings('[disk]\nfloor = "512m"\nheadroom = "2g"\nfloor_inodes = 7')

    assert Limits.of(settings.disk) == Limits(GIB // 2, 2 * GIB, 7)


@pytest.mark.parametrize(
    ("free", "level", "what"),
    [
        (Free(3 * GIB, MANY), 2, BYTES),
        (Free(2 * GIB, MANY), 1, BYTES),
        (Free(GIB, MANY), 0, BYTES),
        (Free(GIB // 2, MANY), -0.5, BYTES),
        (Free(0, MANY), -1, BYTES),
        (Free(3 * GIB, 1500), 0.5, INODES),
        (Free(3 * GIB, 0), -1, INODES),
        (Free(GIB, None), 0, BYTES),
    ],
)
def test_a_level(free: Free, level: float, what: str) -> None:
    """It counts headrooms above the floor, and floors below it, of what there is least of."""
    assert LIMITS.level(free) == (level, what)


def test_what_nobody_looks_at() -> None:
    """A floor of 0 is none."""
    assert Limits(0, GIB, 0).admits(Free(0, 0))


def test_no_headroom() -> None:
    """Without any, a job begins at the floor."""
    limits = Limits(GIB, 0, 0)

    assert [limits.admits(Free(each, None)) for each in (GIB - 1, GIB + 1)] == [False, True]


@pytest.mark.parametrize(
    ("free", "admits", "ample"),
    [(2 * GIB - 1, False, False), (2 * GIB, True, False), (3 * GIB, True, True)],
)
def test_who_may_begin(free: int, admits: object, ample: object) -> None:
    """A job needs the headroom above the floor."""
    assert (LIMITS.admits(Free(free, MANY)), LIMITS.is_ample(Free(free, MANY))) == (admits, ample)


def test_nobody_is_ended_who_has_written_nothing() -> None:
    """Without a headroom the floor tells what is little."""
    at_floor = situation(GIB // 8 - 1, level=-0.1)

    assert not is_to_end(at_floor, Limits(GIB, 0, 0))
    assert is_to_end(situation(GIB // 8, level=-0.1), Limits(GIB, 0, 0))


def test_a_disk_on_which_there_is_never_room() -> None:
    """One that is smaller than what is wanted is not emptied in vain."""
    sizes = (2 * GIB - 1, 2 * GIB, 3 * GIB)
    frees = [Free(2 * GIB, MANY, size) for size in sizes]

    assert [LIMITS.are_met_by(each) for each in frees] == [False, True, True]
    assert [LIMITS.is_ample(each) for each in frees] == [True, True, False]
    assert Limits(0, GIB, 7).are_met_by(Free(0, MANY, 1))


def test_the_line_is_higher_where_the_disk_fills_fast() -> None:
    """It lies above the floor, and never above where a job may begin."""
    assert [line(each) for each in (-1, 0, 0.5, 9)] == [0.25, 0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    ("free", "seconds"),
    [
        (Free(100 * GIB, MANY * 10), 5.0),
        (Free(6 * GIB, MANY * 10), 1.0),
        (Free(0, MANY), 0.1),
        (Free(100 * GIB, 42_000), 0.2),
    ],
)
def test_how_long_nobody_looks(free: Free, seconds: float) -> None:
    """No disk fills within the pause."""
    assert LIMITS.pause(free) == seconds


def written(key: str, size: int, *, at: float = 100, free: int = GIB) -> Written:
    """Return what a job says of itself."""
    return Written(key, 1, size, size // 4096, at, free, 0)


def situation(mine: int, *others: Written, **changes: object) -> Situation:
    """Return a situation in which all is measured and the disk is short."""
    values: dict[str, object] = {
        "now": 100.0,
        "short_since": 99.0,
        "level": 0.2,
        "what": BYTES,
        "free": GIB,
        "mine": written("me", mine),
        "others": others,
        "last": None,
        **changes,
    }
    return Situation(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        (situation(GIB), True),
        (situation(GIB, written("a", GIB - 1), written("b", 1)), True),
        (situation(GIB, written("a", GIB + 1), written("b", 1)), False),
        (situation(GIB, written("a", GIB)), True),
        (situation(GIB, written("z", GIB)), False),
        (situation(GIB // 8 - 1), False),
        (situation(GIB, written("a", 5 * GIB)._replace(device=2)), True),
    ],
    ids=["alone", "most", "less", "a tie", "the other of a tie", "hardly anything", "elsewhere"],
)
def test_who_has_written_most_is_ended(found: Situation, ends: object) -> None:
    """Nobody else is, and nobody who has written hardly anything."""
    assert is_to_end(found, LIMITS) == ends


def test_two_of_a_tie() -> None:
    """Exactly one of two that have written as much is ended, by their names."""
    one, other = written("a", GIB), written("b", GIB)

    ends = [
        is_to_end(situation(GIB, there)._replace(mine=mine), LIMITS)
        for mine, there in ((one, other), (other, one))
    ]

    assert sorted(ends) == [False, True]


def test_an_old_word_is_waited_for() -> None:
    """Who was measured before the disk was short may have written all that was lost since."""
    old = written("a", 1, at=90, free=3 * GIB)

    found = situation(GIB, old, now=99.5)

    assert not is_to_end(found, LIMITS)
    assert is_to_end(found._replace(now=100.5), LIMITS)
    assert is_to_end(found._replace(level=-0.6), LIMITS)


def test_a_job_that_has_said_nothing() -> None:
    """It is waited for, and then counts as one that has written nothing."""
    found = situation(GIB, silent("a"), now=99.5)

    assert not is_to_end(found, LIMITS)
    assert is_to_end(found._replace(now=100.5), LIMITS)


def test_an_old_word_that_cannot_matter() -> None:
    """Nobody is waited for who has written less even if all that was lost since was theirs."""
    old = written("a", 1, at=90, free=GIB + GIB // 2)

    assert is_to_end(situation(GIB, old, now=99.5), LIMITS)


@pytest.mark.parametrize(
    ("ended_at", "level", "ends"),
    [(99, 0.2, False), (99, -0.6, True), (60, 0.2, True), (200, 0.2, True)],
    ids=["just now", "an emergency", "long ago", "before this boot"],
)
def test_one_at_a_time(ended_at: float, level: float, ends: object) -> None:
    """What an ended job wrote is waited for, unless the disk is as good as full."""
    found = situation(GIB, last=Ending("other", ended_at), level=level)

    assert is_to_end(found, LIMITS) == ends


def test_inodes() -> None:
    """Who has made most files is ended where these run out."""
    mine, other = written("me", 0), written("a", GIB)
    found = situation(0, other._replace(inodes=10), what=INODES)

    assert is_to_end(found._replace(mine=mine._replace(inodes=500)), LIMITS)
    assert not is_to_end(found._replace(mine=mine._replace(inodes=5)), LIMITS)


@pytest.mark.parametrize(
    ("devices", "heeded"), [((), True), ((1, 2), True), ((1,), True), ((2,), False)]
)
def test_a_silent_job_of_another_disk(devices: tuple[int, ...], *, heeded: bool) -> None:
    """Nobody waits for a job that fills only another disk."""
    found = situation(GIB, silent("a", devices), now=99.5)

    assert is_to_end(found, LIMITS) is not heeded
