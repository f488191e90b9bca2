"""How many jobs at a time a host with so many cores is worth: formulas, no simulation."""

from collections.abc import Iterable


def jobs_an_hour(cores: int, concurrent: int, processor: float, other: float) -> float:
    """Return how many jobs a host ends in an hour while others wait in the queue.

    A job needs so many seconds of a core, and spends other seconds with waiting (for registries, for
    the network, in `sleep`).  The cores are shared by all jobs that need one.  This is the machine
    repair model, which is exact for exponential times, and for any times where cores are shared.
    """
    if not other:
        return min(cores, concurrent) / processor * 3600
    weight = total = 1.0
    working = 0.0
    for number in range(1, concurrent + 1):
        # So many jobs need a core; the others wait for something else.
        weight *= (concurrent - number + 1) / other * processor / min(number, cores)
        total += weight
        working += weight * min(number, cores)
    return working / total / processor * 3600


def seconds_each(cores: int, concurrent: int, processor: float, other: float) -> float:
    """Return how long a job takes there, by Little's law."""
    return concurrent / jobs_an_hour(cores, concurrent, processor, other) * 3600


def enough(cores: int, processor: float, other: float, longer: float = 1.25) -> int:
    """Return the most jobs at a time with which each takes at most so much longer than alone."""
    alone = processor + other
    found = 1
    while seconds_each(cores, found + 1, processor, other) <= alone * longer:
        found += 1
    return found


def all_at_once(cores: int, jobs: int, processor: float, alone: float) -> float:
    """Return the least seconds in which a host can end jobs that come together."""
    return max(alone, jobs * processor / cores)


def means(samples: Iterable[float]) -> float:
    """Return the mean."""
    values = list(samples)
    return sum(values) / len(values)
