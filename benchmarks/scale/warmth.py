"""How many jobs find what an earlier job of their project has left on the host.

Caches, fetched sources and kept layers belong to a project.  A host takes whatever job comes next, of
all projects behind its token: some have many jobs, most have few (Zipf's law: the n-th has a share of
1/n).  A formula, and a simulation of one host that it agrees with.
"""

import math
import random
from collections.abc import Sequence
from itertools import accumulate


def shares(projects: int, exponent: float = 1.0) -> list[float]:
    """Return which part of the jobs is each project's."""
    weights = [(number + 1) ** -exponent for number in range(projects)]
    total = sum(weights)
    return [weight / total for weight in weights]


def found(jobs: float, parts: Sequence[float]) -> float:
    """Return which part of the jobs of a host's life finds something, of so many jobs in all.

    The first job of each project finds nothing: of a project with n jobs on the average, one that comes
    at random is the first with a probability of (1 - e^-n) / n.
    """
    return 1 - sum(1 - math.exp(-part * jobs) for part in parts) / jobs


def at(jobs: float, parts: Sequence[float]) -> float:
    """Return the probability that the next job finds something, after so many jobs."""
    return sum(part * (1 - math.exp(-part * jobs)) for part in parts)


def until_half(parts: Sequence[float], share: float = 0.5) -> int:
    """Return after how many jobs a new host has something for this share of the jobs."""
    low, high = 0, 1
    while at(high, parts) < share:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle, parts) >= share else (middle, high)
    return high


def simulate(jobs: int, parts: Sequence[float], *, hosts: int, seed: int) -> float:
    """Return which part of the jobs found something, on hosts that each have so many on the average."""
    draw = random.Random(seed)
    bounds = list(accumulate(parts))
    numbers = range(len(parts))
    warm = total = 0
    for _ in range(hosts):
        known: set[int] = set()
        count = _poisson(draw, jobs)
        for project in draw.choices(numbers, cum_weights=bounds, k=count):
            warm += project in known
            known.add(project)
        total += count
    return warm / total


def _poisson(draw: random.Random, mean: float) -> int:
    count, time = 0, draw.expovariate(1)
    while time < mean:
        count += 1
        time += draw.expovariate(1)
    return count
