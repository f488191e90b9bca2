"""What has to go so that the budgets hold.

Pure: no I/O, no clock.  Whatever is least recently used goes first, and what must stay never goes, also
where the budget is exceeded by it alone.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from executor.budgets.things import Stays, Thing

UNUSED, TOO_MUCH, TOO_LARGE, NO_ROOM = "unused", "over-budget", "too-large", "disk-full"
"""Why something has to go: nobody used it for too long, all of its kind take too much, it takes too much
by itself, or it is what is least recently used where the disk lacks room."""

TINY = 1024 * 1024
"""What takes less, in bytes, stays where room is wanted: it frees nothing worth a cache."""

_DAY = 86400


class Budget(NamedTuple):
    """How much may be kept, and for how long; 0 stands for no bound."""

    size: int = 0
    """In bytes, of all together."""
    days: int = 0
    """Since it was last used."""
    each: int = 0
    """In bytes, of a single one."""


class Choice(NamedTuple):
    """What has to go, and what cannot be helped."""

    going: tuple[tuple[Thing, str], ...]
    """Each with its reason, in the order in which they go."""
    excess: int = 0
    """How many bytes are too many when all of that is gone: what takes them must stay."""


def by_age(things: Iterable[Thing]) -> list[Thing]:
    """Return what may be removed at all, least recently used first."""
    return sorted(
        (each for each in things if each.stays is Stays.NO), key=lambda each: (each.used, each.name)
    )


def for_room(things: Iterable[Thing], lacking: int) -> tuple[Thing, ...]:
    """Return what has to go until so many bytes are free, least recently used first.

    What was never measured is left out.
    """
    going: list[Thing] = []
    for each in by_age(things):
        if lacking <= 0:
            break
        if each.size and each.size >= TINY:
            going.append(each)
            lacking -= each.size
    return tuple(going)


def choose(things: Sequence[Thing], budget: Budget, now: float) -> Choice:
    """Return what of things of one budget has to go at a time of the wall clock.

    What was never measured counts as nothing, and goes by its age alone.
    """
    candidates = by_age(things)
    going: dict[Thing, str] = {}
    if budget.days:
        too_old = now - budget.days * _DAY
        going = {each: UNUSED for each in candidates if each.used < too_old}
    if budget.each:
        large = [each for each in candidates if (each.size or 0) > budget.each]
        going.update((each, TOO_LARGE) for each in large if each not in going)
    excess = 0
    if budget.size:
        taken = sum(each.size or 0 for each in things if each not in going)
        for each in candidates:
            if taken <= budget.size:
                break
            if each not in going and each.size:
                going[each] = TOO_MUCH
                taken -= each.size
        excess = max(0, taken - budget.size)
    return Choice(tuple(going.items()), excess)
