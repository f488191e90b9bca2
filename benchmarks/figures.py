"""What the samples say: medians of a run, ratios within a run, and the range over the runs. Pure."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.jobs import LOG_MEGABYTES
from benchmarks.results import Figures, Results, Sample, failures

DOCKER, OURS, SERVICE, NETWORK, SHELL, HAND = (
    "Docker executor", "dind-executor", "mode service", "kept network", "shell executor",
    "bare engine calls",
)  # fmt: skip
"""Who is measured."""

JOB_ROWS = (
    ("`echo`, default mode", "echo", OURS),
    ('`echo`, `mode = "service"`', "echo", SERVICE),
    ("`echo`, `keep_network`", "echo", NETWORK),
    ("`docker version`, `build`, `run`", "dind", OURS),
    ("`build`, `run`, `keep_network`", "dind", NETWORK),
)
"""What is said of jobs: its name, the job, and whose it is."""

COLD, REBUILT, AGAIN, CHANGED = "cold", "rebuilt", "again", "changed"
"""Builds: nothing is there; an earlier job built it; this job did; the last COPY is another."""
CLASSIC = " by the classic builder"


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure of each run: the middle one, the least and the greatest."""

    middle: float
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[float]) -> "Spread | None":
        """Return the spread of some values; None where there are none."""
        found = sorted(values)
        return Spread(statistics.median(found), found[0], found[-1]) if found else None

    def told(self, digits: int, unit: str = "") -> str:
        """Return it as text, with the range where there is one."""
        middle, low, high = (f"{each:.{digits}f}" for each in (self.middle, self.low, self.high))
        return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


class Measured:
    """The samples of one part and one generation of dind."""

    def __init__(self, results: Results, part: str, dind: str) -> None:
        """Take those that are of jobs that succeeded."""
        self._samples: dict[tuple[int, str, str], list[Sample]] = {}
        for each in results.samples:
            task = each.task
            if (task.part, task.dind) == (part, dind) and each.figures:
                key = (task.run, task.case, task.who)
                self._samples.setdefault(key, []).append(each)

    @property
    def cases(self) -> list[str]:
        """Return what was measured, in the order of the measurement."""
        return list(dict.fromkeys(case for _, case, _ in self._samples))

    @property
    def rounds(self) -> int:
        """Return how many rounds the longest run has."""
        return max(map(len, self._samples.values()), default=0)

    @property
    def runs(self) -> int:
        """Return how many runs there are."""
        return len({run for run, _, _ in self._samples})

    def of_runs(self, case: str, who: str, what: Callable[[Figures], float]) -> dict[int, float]:
        """Return for each run the median of a figure."""
        return {
            run: statistics.median(what(each.figures) for each in samples)
            for (run, of, by), samples in self._samples.items()
            if (of, by) == (case, who)
        }

    def spread(self, case: str, who: str) -> Spread | None:
        """Return how long it took over the runs."""
        return Spread.of(self.of_runs(case, who, wall).values())

    def mean(self, case: str, who: str, what: str) -> Spread | None:
        """Return the mean of a figure of each run: ticks of the processor's clock need it."""
        found = {
            run: [each.figures[what] for each in samples if what in each.figures]
            for (run, of, by), samples in self._samples.items()
            if (of, by) == (case, who)
        }
        return Spread.of(statistics.mean(values) for values in found.values() if values)

    def added(self, case: str, who: str) -> dict[int, float]:
        """Return for each run what a job costs beside its script and gitlab-runner's own part."""
        taken = self.of_runs(case, who, lambda each: each["wall"] - each.get("script", 0.0))
        own = {} if who == HAND else self.of_runs("echo", SHELL, lambda each: each["wall"])
        return {run: seconds - own.get(run, 0.0) for run, seconds in taken.items()}


def ratio(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Spread | None:
    """Return the ratio of two figures over the runs that have both."""
    return Spread.of(ours[run] / theirs[run] for run in ours if theirs.get(run))


def versions(results: Results, part: str) -> dict[str, str]:
    """Return the generations of dind that a part was measured with, each with its version."""
    names = (each.task.dind for each in results.samples if each.task.part == part)
    return {name: results.dinds.get(name, name) for name in names}


def summary(results: Results) -> Iterator[str]:
    """Return the lines that a person wants to see at once."""
    for dind, version in versions(results, "jobs").items():
        jobs = Measured(results, "jobs", dind)
        for name, case, who in JOB_ROWS:
            ours, theirs = jobs.added(case, who), jobs.added(case, DOCKER)
            yield from _told(f"dind {version}, {name}, added", ours, theirs)
    for dind, version in versions(results, "at-once").items():
        many = Measured(results, "at-once", dind)
        for case in many.cases:
            ours, theirs = (many.of_runs(case, who, wall) for who in (OURS, DOCKER))
            yield from _told(f"dind {version}, {case} at once", ours, theirs)
    for dind, version in versions(results, "layers").items():
        layers = Measured(results, "layers", dind)
        for case in layers.cases:
            cold = layers.of_runs(cold_of(case), OURS, script)
            yield from _told(
                f"dind {version}, {case}", layers.of_runs(case, OURS, script), cold, _COLD
            )
    for dind in versions(results, "log"):
        log = Measured(results, "log", dind)
        ours, theirs = (log.of_runs("log", who, wall) for who in (OURS, DOCKER))
        yield from _told(f"log of {LOG_MEGABYTES} MB", ours, theirs)
    if failed := failures(results.samples):
        yield f"{failed} samples are of jobs that failed, and count nowhere."


def cold_of(case: str) -> str:
    """Return the build from nothing by the same builder."""
    return f"{COLD}{CLASSIC}" if CLASSIC in case else COLD


def wall(figures: Figures) -> float:
    """Return how long a job took."""
    return figures["wall"]


def script(figures: Figures) -> float:
    """Return how long a job's script took, as it says itself."""
    return figures.get("script", 0.0)


_THEIRS, _COLD = "the Docker executor's", "the cold build"


def _told(
    name: str, ours: Mapping[int, float], theirs: Mapping[int, float], whose: str = _THEIRS
) -> Iterator[str]:
    mine, compared = Spread.of(ours.values()), ratio(ours, theirs)
    if mine is not None:
        against = f", {compared.told(3)} of {whose}" if compared else ""
        yield f"{name}: {mine.told(2, ' s')}{against}"
