"""How many jobs a host loses that is taken away after a notice: a formula, and a simulation."""

import math
import random


def lost(notice: float, job_seconds: float) -> float:
    """Return which part of the jobs that run at the notice does not end in time.

    For exponential times: what is left of a job is then as long as a whole one.
    """
    return math.exp(-notice / job_seconds)


def simulate(notice: float, job_seconds: float, *, jobs: int, seed: int) -> float:
    """Return the same of jobs that follow one another, each looked at in a random moment."""
    draw = random.Random(seed)
    lengths = [draw.expovariate(1 / job_seconds) for _ in range(jobs)]
    # A moment at random falls into a long job more often.
    hit = draw.choices(lengths, weights=lengths, k=jobs)
    return sum(draw.uniform(0, length) > notice for length in hit) / jobs
