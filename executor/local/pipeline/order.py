"""Which job waits for which, and whose artifacts it gets.

Pure. A job with `needs` waits for those alone, any other for all jobs of earlier stages.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.local.pipeline.model import JobDefinition


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that is going to run. The names are in the order of the stages.

    `beside` are the jobs that may run at the same time: neither before nor after this one.
    """

    definition: JobDefinition
    waits_for: tuple[str, ...]
    artifacts_from: tuple[str, ...]
    beside: tuple[str, ...] = ()


def planned_jobs(stages: tuple[tuple[JobDefinition, ...], ...]) -> tuple[Planned, ...]:
    """Return all jobs in the order of the stages, with what they wait for.

    What is needed but does not run (it is optional, or was not asked for) is not waited for.
    """
    running = tuple(job.name for jobs in stages for job in jobs)
    plan: dict[str, Planned] = {}
    earlier: tuple[str, ...] = ()
    for jobs in stages:
        for job in jobs:
            plan[job.name] = _planned(job, earlier, running)
        earlier += tuple(job.name for job in jobs)
    before = {name: _before(name, plan) for name in plan}
    return tuple(
        Planned(
            planned.definition,
            planned.waits_for,
            planned.artifacts_from,
            tuple(
                other
                for other in running
                if other != name and other not in before[name] and name not in before[other]
            ),
        )
        for name, planned in plan.items()
    )


def _planned(job: JobDefinition, earlier: tuple[str, ...], running: tuple[str, ...]) -> Planned:
    waits_for, artifacts_from = earlier, earlier
    if job.needs is not None:
        needed = {need.job: need for need in job.needs}
        waits_for = tuple(name for name in running if name in needed)
        artifacts_from = tuple(name for name in waits_for if needed[name].artifacts)
    if job.dependencies is not None:
        artifacts_from = tuple(name for name in artifacts_from if name in job.dependencies)
    return Planned(job, waits_for, artifacts_from)


def _before(name: str, plan: Mapping[str, Planned]) -> frozenset[str]:
    """Return every job that has ended when this one starts."""
    found: set[str] = set()
    open_ones = list(plan[name].waits_for)
    while open_ones:
        other = open_ones.pop()
        if other not in found:
            found.add(other)
            open_ones += plan[other].waits_for
    return frozenset(found)
