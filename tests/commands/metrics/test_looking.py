"""Looks at things that may hang."""

import threading
import time
from collections.abc import Iterator

import pytest

from executor.commands.metrics.looking import Look


def soon() -> float:
    return time.monotonic() + 60


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what lets a look that hangs end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_is_seen() -> None:
    """The first one who asks waits for it."""
    assert Look(lambda: 7).seen(soon()) == 7


def test_it_counts_for_a_while() -> None:
    """Whoever asks meanwhile gets the same; then there is another look."""
    numbers = iter(range(10))
    long, short = Look(lambda: next(numbers)), Look(lambda: next(numbers), fresh_seconds=0.0)

    assert [long.seen(soon()) for _ in range(3)] == [0, 0, 0]
    assert [short.seen(soon()) for _ in range(3)] == [1, 2, 3]


def test_a_look_that_hangs_is_not_waited_for(gate: threading.Event) -> None:
    """Nobody waits beyond the deadline, and there is never a second look under way."""
    begun = []

    def hang() -> int:
        begun.append(1)
        gate.wait()
        return 7

    look = Look(hang)
    assert [look.seen(time.monotonic()) for _ in range(5)] == [None] * 5
    assert len(begun) <= 1
    gate.set()
    assert look.seen(soon()) == 7
    assert begun == [1]


def test_the_last_look_counts_while_the_next_one_is_slow(gate: threading.Event) -> None:
    """An engine that is slow is not one that is away; after a while it is."""
    answers = iter([lambda: 7, gate.wait])
    look = Look(lambda: int(next(answers)()), fresh_seconds=0.0)
    old = Look(lambda: int(next(more)()), fresh_seconds=0.0, stale_seconds=0.0)
    more = iter([lambda: 7, gate.wait])

    assert (look.seen(soon()), look.seen(time.monotonic())) == (7, 7)
    old.begin()
    assert old.seen(time.monotonic()) is None


def test_a_look_that_fails() -> None:
    """There is nothing to show, and it is not tried again at once."""
    tries = []

    def fail() -> int:
        tries.append(1)
        raise OSError

    look = Look(fail)

    assert (look.seen(soon()), look.seen(soon())) == (None, None)
    assert tries == [1]
