"""`parallel`: one entry of the file that stands for several jobs.

Pure. They are called `name 1/3`, or `name: [value, value]` for a matrix.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

from executor.local.pipeline.keywords import Place, described, mapping_at, scalar_text
from executor.local.pipeline.model import JobDefinition, Need

_MOST = 200
_LONGEST_NAME = 255
# The name of each instance, and the variables that it adds.
Instances = list[tuple[str, dict[str, object]]]


def instances_at(name: str, value: object, place: Place) -> Instances:
    """Return the jobs that an entry with this `parallel` stands for."""
    if isinstance(value, int) and not isinstance(value, bool):
        _check_number(value, place)
        found: Instances = [(f"{name} {number + 1}/{value}", {}) for number in range(value)]
    else:
        fields = mapping_at(value, place)
        place.check_keys(fields, ("matrix",))
        found = [
            (f"{name}: [{', '.join(row.values())}]", dict(row))
            for row in _rows(fields.get("matrix"), place.of("matrix"))
        ]
    _check_number(len(found), place)
    if any(len(one) > _LONGEST_NAME for one, _ in found):
        raise place.error(
            f"the name of a job with its values has at most {_LONGEST_NAME} characters"
        )
    return found


def _check_number(jobs: int, place: Place) -> None:
    if not 0 < jobs <= _MOST:
        raise place.error(f"1 to {_MOST} jobs are expected, not {jobs}")


def matrix_names(name: str, value: object, place: Place) -> list[str]:
    """Return the names of the jobs that `needs: parallel: matrix` means."""
    return [instance for instance, _ in instances_at(name, value, place)]


def _rows(value: object, place: Place) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise place.error(f"a list of mappings is expected, not {described(value)}")
    rows: list[dict[str, str]] = []
    for index, item in enumerate(value):
        fields = mapping_at(item, place.of(index))
        columns = [
            [scalar_text(cell) for cell in (cells if isinstance(cells, list) else [cells])]
            for cells in fields.values()
        ]
        _check_number(max(1, len(rows) + math.prod(map(len, columns))), place)
        rows += [dict(zip(fields, row, strict=True)) for row in itertools.product(*columns)]
    return rows


def with_instances(jobs: tuple[JobDefinition, ...]) -> tuple[JobDefinition, ...]:
    """Return the jobs with names of `needs` and `dependencies` that mean several, written out."""
    members: dict[str, list[str]] = {}
    for job in jobs:
        if job.group:
            members.setdefault(job.group, []).append(job.name)
    if not members:
        return jobs
    return tuple(
        replace(
            job,
            needs=None if job.needs is None else _needs(job.needs, members),
            dependencies=None if job.dependencies is None else _names(job.dependencies, members),
        )
        for job in jobs
    )


def _needs(needs: tuple[Need, ...], members: Mapping[str, list[str]]) -> tuple[Need, ...]:
    return tuple(
        replace(need, job=name) for need in needs for name in members.get(need.job, [need.job])
    )


def _names(names: tuple[str, ...], members: Mapping[str, list[str]]) -> tuple[str, ...]:
    return tuple(one for name in names for one in members.get(name, [name]))
