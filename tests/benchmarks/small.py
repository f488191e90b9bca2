"""A few samples of two runs, with round figures."""

from benchmarks.figures import DOCKER, HAND, NETWORK, OURS, SERVICE, SHELL
from benchmarks.results import Results, Sample, Task

MADE = {
    "dind-executor": "0123abc",
    "gitlab-runner": "17.9.0",
    "engine": "20.10.24",
    "images": "debian",
    "python": "3.11.7",
    "cores": 2,
    "processor": "a processor",
}
_JOBS = (
    ("echo", SHELL, 0.5, 0.0, 0.0),
    ("echo", DOCKER, 2.5, 0.0, 0.0),
    ("echo", OURS, 1.5, 0.0, 0.25),
    ("echo", SERVICE, 1.25, 0.0, 0.25),
    ("echo", NETWORK, 1.25, 0.0, 0.25),
    ("echo", HAND, 1.0, 0.0, 0.0),
    ("dind", DOCKER, 8.5, 2.0, 0.0),
    ("dind", OURS, 4.0, 2.0, 0.25),
    ("dind", NETWORK, 3.5, 2.0, 0.25),
    ("dind", HAND, 7.0, 2.0, 0.0),
)
_BUILDS = (
    ("cold", DOCKER, 20.0),
    ("cold", OURS, 10.0),
    ("rebuilt", OURS, 0.25),
    ("again", OURS, 0.125),
    ("changed", OURS, 0.5),
)
_AT_ONCE = ((DOCKER, 4.0), (OURS, 2.0))


def results() -> Results:
    """Return them: the second run takes half as long again under the Docker executor."""
    samples = []
    for run in (1, 2):
        for case, who, wall, script, stage in _JOBS:
            slower = 1.5 if who == DOCKER and run == 2 else 1.0
            figures = {
                "wall": (wall - script - 0.5) * slower + script + 0.5,
                "script": script,
                "runner": 0.125,
                "host": wall,
            }
            if stage:
                figures |= {"config": stage, "prepare": stage, "cleanup": stage}
                figures["run"] = stage + script
            samples.append(Sample(Task(run, "jobs", "26.1", 1, case, who), figures))
        for count in (1, 8):
            for who, each in _AT_ONCE:
                task = Task(run, "at-once", "26.1", 1, str(count), who)
                samples.append(Sample(task, {"wall": each * count * run, "script": 0.0}))
        for case, who, build in _BUILDS:
            task = Task(run, "layers", "26.1", 1, case, who)
            samples.append(Sample(task, {"wall": build + 2, "script": build * run}))
    return Results(MADE, {"1": 0.125, "2": 0.25}, {"26.1": "26.1.5"}, tuple(samples))
