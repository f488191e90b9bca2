"""The tables and plots of what was measured. Pure."""

import itertools
from collections.abc import Callable, Iterable, Sequence

from benchmarks.figures import (
    AGAIN,
    CHANGED,
    CLASSIC,
    COLD,
    DOCKER,
    HAND,
    JOB_ROWS,
    OURS,
    REBUILT,
    SHELL,
    Measured,
    Spread,
    ratio,
    script,
    wall,
)
from benchmarks.jobs import LOG_MEGABYTES
from benchmarks.plots import Plot
from benchmarks.results import Figures
from benchmarks.stage_cost import MEASURES

_STAGES = ("config", "prepare", "run", "cleanup")
_MILLISECONDS = 1000
_TOLD_MEASURES = {
    "bare": "bare interpreter",
    "run": "a `run` call until its script leaves",
    "config": "a `config` call",
    "prepare imports": "the imports of `prepare`",
    "prepare processor": "processor time of a `prepare` call",
    "planning": "one plan of a job with 160 variables",
}
CONTENDERS = (DOCKER, OURS, HAND)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def jobs(measured: Measured) -> list[str]:
    """Return what each job costs beside its script and gitlab-runner's own part."""
    rows = []
    for name, case, who in JOB_ROWS:
        ours, theirs, bare = (measured.added(case, each) for each in (who, DOCKER, HAND))
        cells = [_told(Spread.of(each.values()), 2, " s") for each in (theirs, ours, bare)]
        ratios = [_told(ratio(ours, each), 3) for each in (theirs, bare)]
        rows.append([name, *cells, *ratios])
    head = ["job", *CONTENDERS, "ratio to the Docker executor", "ratio to bare engine calls"]
    return markdown(head, rows)


def jobs_plot(measured: Measured, version: str) -> Plot:
    """Return a picture of the same."""
    groups = {
        name.replace("`", ""): [
            Spread.of(measured.added(case, each).values()) for each in (DOCKER, who, HAND)
        ]
        for name, case, who in JOB_ROWS
    }
    title = f"Seconds that a job costs beside its own script, dind {version}"
    return Plot(title, "s", CONTENDERS, groups)


def own_part(measured: Measured) -> str:
    """Return gitlab-runner's own part of each job; "" where it was not measured."""
    return _told(measured.spread("echo", SHELL), 2, " s", absent="")


def at_once(measured: Measured) -> list[str]:
    """Return how long it takes until the last of some jobs is done."""
    rows = []
    for case in _counts(measured):
        theirs, ours = (measured.of_runs(case, who, wall) for who in (DOCKER, OURS))
        cells = [_told(Spread.of(each.values()), 1, " s") for each in (theirs, ours)]
        rows.append([case, *cells, _told(ratio(ours, theirs), 2)])
    return markdown(["jobs at once", DOCKER, OURS, "ratio"], rows)


def at_once_plot(measured: Measured, version: str) -> Plot:
    """Return a picture of the same."""
    groups = {
        case: [measured.spread(case, who) for who in (DOCKER, OURS)] for case in _counts(measured)
    }
    title = f"Seconds until all jobs are done that build and run an image, dind {version}"
    return Plot(title, "s", (DOCKER, OURS), groups)


def _counts(measured: Measured) -> list[str]:
    return sorted(measured.cases, key=int)


def processor(one: Measured, log: Measured) -> list[str]:
    """Return the processor time of each job: of gitlab-runner with its stages, and of the host."""
    rows = []
    jobs = [(name, one, case, who) for name, case, who in JOB_ROWS]
    jobs.append((f"a log of {LOG_MEGABYTES} MB", log, "log", OURS))
    for name, measured, case, who in jobs:
        cells = [
            _told(measured.mean(case, each, what), 2, " s")
            for what in ("runner", "host")
            for each in (DOCKER, who)
        ]
        if any(cell != "-" for cell in cells):
            rows.append([name, *cells])
    head = ["job"]
    head += [f"{what}, {who}" for what in ("gitlab-runner", "whole host") for who in (DOCKER, OURS)]
    return markdown(head, rows)


def processor_plot(one: Measured) -> Plot:
    """Return a picture of the host's processor time."""
    groups = {
        name.replace("`", ""): [one.mean(case, each, "host") for each in (DOCKER, who, HAND)]
        for name, case, who in JOB_ROWS
    }
    return Plot("Processor seconds of the whole host for one job", "s", CONTENDERS, groups)


_BUILDS = {
    COLD: "nothing is there",
    REBUILT: "an earlier job has built the same",
    AGAIN: "the same job has built the same",
    CHANGED: "an earlier job has built it, another line in the last `COPY`",
}


def layers(measured: Measured) -> list[str]:
    """Return how long one Dockerfile takes, by what is there already."""
    rows = []
    for builder, kind, who in itertools.product(("", CLASSIC), _BUILDS, (DOCKER, OURS)):
        taken, whole = (measured.of_runs(kind + builder, who, what) for what in (script, wall))
        if taken:
            seconds = (Spread.of(each.values()) for each in (taken, whole))
            cells = (_told(each, 2, " s") for each in seconds)
            compared = ratio(taken, measured.of_runs(COLD + builder, OURS, script))
            rows.append([_BUILDS[kind] + builder, who, *cells, _told(compared, 3)])
    return markdown(["", "executor", "build", "whole job", "build, ratio to cold"], rows)


def log(measured: Measured) -> list[str]:
    """Return how long a long job log takes."""
    rows = []
    for who in (DOCKER, OURS, SHELL):
        taken = measured.of_runs("log", who, wall)
        speed = Spread.of(LOG_MEGABYTES / each for each in taken.values())
        compared = ratio(taken, measured.of_runs("log", DOCKER, wall))
        cells = (_told(Spread.of(taken.values()), 1, " s"), _told(speed, 0, " MB/s"))
        rows.append([who, *cells, _told(compared, 2)])
    return markdown(["executor", "whole job", "speed", "ratio"], rows)


def stages(measured: Measured) -> list[str]:
    """Return where the time of dind-executor's jobs goes, stage by stage."""
    rows = []
    for name, case, who in JOB_ROWS:
        found = {each: measured.of_runs(case, who, _figure(each)) for each in _STAGES}
        if not any(map(any, (each.values() for each in found.values()))):
            continue
        own = measured.of_runs(case, who, script)
        whole = measured.of_runs(case, who, wall)
        found["run"] = {run: each - own[run] for run, each in found["run"].items()}
        rest = {
            run: whole[run] - own[run] - sum(each[run] for each in found.values()) for run in whole
        }
        spreads = (Spread.of(each.values()) for each in (*found.values(), rest))
        rows.append([name, *(_told(each, 2, " s") for each in spreads)])
    head = ["job", *(f"`{each}`" for each in _STAGES), "the rest"]
    return markdown(head, rows) if rows else []


def program(measured: Measured) -> list[str]:
    """Return what dind-executor's own program costs, without an engine."""
    rows = []
    for measure in MEASURES:
        taken = measured.of_runs(measure, OURS, wall)
        spread = Spread.of(each * _MILLISECONDS for each in taken.values())
        rows.append([_TOLD_MEASURES[measure], _told(spread, 1, " ms")])
    return markdown(["", "time"], rows)


def loads(values: Iterable[float]) -> str:
    """Return how busy the machine was as the runs began."""
    found = sorted(values)
    low, high = (f"{each:.1f}" for each in (found[0], found[-1]))
    return low if low == high else f"{low} to {high}"


def _told(spread: Spread | None, digits: int, unit: str = "", absent: str = "-") -> str:
    return absent if spread is None else spread.told(digits, unit)


def _figure(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures.get(name, 0.0)
