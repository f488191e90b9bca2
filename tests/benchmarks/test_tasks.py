"""What is measured, in which order."""

from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks import builds
from benchmarks.__main__ import groups
from benchmarks.jobs import DIND, ECHO, GENERATIONS, LOG, script_seconds
from benchmarks.parts import all_parts
from tests.rig.state import Rig

RIG: Rig = cast(
    "Rig",
    SimpleNamespace(hub="hub:5001", images="debian", special=lambda name: f"hub:5001/{name}"),
)
PARTS = all_parts(has_runner=True)


def test_an_interrupted_measurement_does_only_what_is_missing() -> None:
    """Done tasks are not done again; what goes on warms up first, and what is whole does not."""
    parts = [part for part in PARTS if part.name == "jobs"]
    every = list(groups(parts, ["26.1", "20.10"], 2, 3, frozenset()))
    done = frozenset(task for group in every[:3] for task in group.tasks)
    missing = max(every[1].tasks)

    left = list(groups(parts, ["26.1", "20.10"], 2, 3, done - {missing}))

    assert [(group.dind, group.tasks[0].run) for group in every] == [
        ("26.1", 1), ("20.10", 1), ("26.1", 2), ("20.10", 2),
    ]  # fmt: skip
    assert [(group.dind, group.tasks[0].run) for group in left] == [("20.10", 1), ("20.10", 2)]
    assert left[1] == every[3]
    assert all(task.round == 0 for task in left[0].tasks if task != missing)


def test_each_contender_is_first_in_turn() -> None:
    """A round begins with the other end of the contenders than the one before it."""
    for part in PARTS:
        tasks = part.tasks(1, "26.1", 2)
        first = next(task for task in tasks if task.round == 1)
        second = next((task for task in tasks if task.round == 2), None)

        assert (first.case, first.who) == part.cases("26.1")[0]
        assert second is None or (second.case, second.who) == part.cases("26.1")[-1]


def test_what_takes_minutes_is_measured_seldom() -> None:
    """Of 15 rounds, many jobs at once get one, few get three."""
    (part,) = (part for part in PARTS if part.name == "at-once")
    tasks = part.tasks(1, "26.1", 15)

    counted = {
        case: sum(task.case == case and task.round > 0 for task in tasks)
        for case, _ in part.cases("26.1")
    }
    assert counted == {"1": 6, "4": 6, "8": 6, "16": 2, "40": 2}


@pytest.mark.parametrize("name", GENERATIONS)
def test_all_jobs_are_pipelines_of_one_job(name: str) -> None:
    """Each job names the client and, where it has a service, the dind of its generation."""
    generation = GENERATIONS[name]
    pipelines = [job.pipeline(RIG, generation) for job in (ECHO, DIND, LOG)]
    pipelines += [builds.pipeline(case, RIG, generation) for case in builds.cases(name)]

    for pipeline in pipelines:
        (job,) = pipeline.jobs
        assert job.image is not None
        assert job.image.name == generation.client
        assert {each.name for each in job.services} <= {generation.dind}
        assert not any("@" in line for line in job.script)
    assert len(builds.cases(name)) == (8 if name == "20.10" else 4)


def test_a_job_says_how_long_its_script_took() -> None:
    """The marks are lines of their own, and the lines that show the commands are no marks."""
    log = """$ read up idle </proc/uptime; echo "script begins $up"
script begins 10.25
built
script ends 12.75
"""

    assert script_seconds(log) == 2.5
    assert script_seconds("hello") == 0
