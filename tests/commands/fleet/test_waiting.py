"""Waiting until nothing is left, by a clock that nobody waits for."""

from collections.abc import Sequence

from executor.commands.fleet.waiting import wait


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def waited(looks: int, seconds: float | None) -> tuple[bool, list[Sequence[str]], float]:
    """Return how a wait ends for jobs that are there for so many looks."""
    time, said, left = Time(), list[Sequence[str]](), [looks]

    def look() -> list[str] | None:
        left[0] -= 1
        return ["job"] if left[0] >= 0 else None

    over = wait(look, said.append, seconds, clock=time.clock, sleep=time.sleep)
    return over, said, time.now - 100


def test_nothing_is_left() -> None:
    """Nothing is said, and nobody waits."""
    assert waited(0, None) == (True, [], 0)


def test_what_is_left_is_said_each_half_minute() -> None:
    """At once, and then not with every look."""
    over, said, seconds = waited(13, None)

    assert (over, len(said), seconds) == (True, 3, 65)


def test_a_limit() -> None:
    """What is left is said at its end; a limit of nothing is one look."""
    assert waited(100, 12) == (False, [["job"], ["job"]], 12)
    assert waited(100, 0) == (False, [["job"]], 0)
