"""Checks what jobs say about each other: that the jobs exist, and that there is an order.

Pure.
"""

from collections.abc import Mapping

from executor.local.pipeline.keywords import Place
from executor.local.pipeline.model import JobDefinition


def check_links(jobs: tuple[JobDefinition, ...], stages: tuple[str, ...], source: str) -> None:
    """Name the first job that another one needs, depends on or is stopped by in vain."""
    known = {job.name: job for job in jobs}
    for job in jobs:
        place = Place(source).job(job.name)
        for need in job.needs or ():
            if need.job in known:
                _check_stage(job, known[need.job], stages, place.of("needs"), can_be_same=True)
            elif not need.optional:
                raise place.of("needs").error(f'there is no job "{need.job}"')
        _check_dependencies(job, known, stages, place.of("dependencies"))
        if job.environment and job.environment.on_stop not in ("", *known):
            sentence = f'there is no job "{job.environment.on_stop}"'
            raise place.of("environment:on_stop").error(sentence)
    for job in jobs:
        _check_circle(job, known, (), Place(source).job(job.name).of("needs"))


def _check_dependencies(
    job: JobDefinition, known: Mapping[str, JobDefinition], stages: tuple[str, ...], place: Place
) -> None:
    needed = None if job.needs is None else {need.job for need in job.needs}
    for name in job.dependencies or ():
        if name not in known:
            raise place.error(f'there is no job "{name}"')
        if needed is None:
            _check_stage(job, known[name], stages, place, can_be_same=False)
        elif name not in needed:
            raise place.error(f'job "{name}" must also be listed in needs')


def _check_stage(
    job: JobDefinition,
    other: JobDefinition,
    stages: tuple[str, ...],
    place: Place,
    *,
    can_be_same: bool,
) -> None:
    own, its = stages.index(job.ci_stage), stages.index(other.ci_stage)
    if its > own or (its == own and not can_be_same):
        allowed = "this or an earlier stage" if can_be_same else "an earlier stage"
        raise place.error(f'job "{other.name}" is not in {allowed}')


def _check_circle(
    job: JobDefinition, known: Mapping[str, JobDefinition], above: tuple[str, ...], place: Place
) -> None:
    if job.name in above:
        raise place.error(f"jobs need each other: {' > '.join((*above, job.name))}")
    for need in job.needs or ():
        if need.job in known:
            _check_circle(known[need.job], known, (*above, job.name), place)
