"""From records to numbers: pure.

Every label's value is of a closed list, whatever stands in the spool.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Self

from executor.commands.metrics import catalogue
from executor.commands.metrics.catalogue import COUNTED, HISTOGRAM, Metric
from executor.record import words
from executor.record.endings import ENDINGS, REASONS, RESULTS, Ended
from executor.record.values import number

Record = Mapping[str, object]
Labels = tuple[str, ...]

IMAGE_OF_HOST = "image_of_host"

_STAGES = frozenset(("config", "prepare", "run", "cleanup"))
_STEPS = words.STEPS | {words.OTHER}
_OUTCOMES = frozenset(
    (
        words.SUCCESS,
        words.SCRIPT_FAILURE,
        "build_failure",
        "system_failure",
        words.CANCELLED,
        words.ERROR,
    )
)
_ELSEWHERE = frozenset(("script", "dind", "look", "cancel", "summary", "remove"))
_PHASES = frozenset(words.SPANS.values()) - _ELSEWHERE
_CONTAINERS = words.ROLES | {"service"}
_PULLS = (words.SUCCESS, "image", "pull_interrupted", "registry_down", IMAGE_OF_HOST)
_FAILED_BY_DIND = words.REASONS["ServiceNotReady"]

_FROM_START: tuple[tuple[Metric, tuple[Labels, ...]], ...] = (
    (catalogue.JOBS, ENDINGS),
    (catalogue.DIND_FAILURES, (("failed",), ("left_out",))),
    (catalogue.PULLS, tuple((each, "always") for each in _PULLS)),
    (catalogue.PULL_BYTES, ((),)),
    (catalogue.LOST, tuple((each,) for each in sorted(_CONTAINERS))),
    (catalogue.DISK_FILLED, ((),)),
    (catalogue.REAPED, tuple((each,) for each in sorted(words.WORDS["reason"]))),
    (catalogue.GHOSTS, ((),)),
    (catalogue.BAD_LINES, ((),)),
    (catalogue.GAPS, ((),)),
    (catalogue.DIND_WAITS, ((),)),
    (catalogue.CANCELS, ((),)),
)
"""What is there before anything has happened, as 0: an increase from nothing is not seen."""


class Counts:
    """The numbers: of each metric, by the values of its labels."""

    def __init__(self) -> None:
        """Begin with nothing, and with 0 for what most people ask for."""
        self.series: dict[str, dict[Labels, list[float]]] = {each.name: {} for each in COUNTED}
        """A counter has one number; a histogram one for each bucket (not summed up), and the sum."""
        for metric, values in _FROM_START:
            for each in values:
                self._numbers(metric, each)

    def end(self, ended: Ended) -> None:
        """Count a job that is over."""
        self.add(
            catalogue.JOBS,
            1,
            _of(ended.result, RESULTS, "system_failure"),
            _of(ended.reason, REASONS, "unknown"),
        )

    def count(self, record: Record) -> None:
        """Count what a stage did."""
        things = _things(record)
        stage, outcome = str(record.get("stage")), str(record.get("outcome"))
        if stage in _STAGES:
            step = _of(str(record.get("step")), _STEPS, words.OTHER) if stage == "run" else ""
            outcome = _of(outcome, _OUTCOMES, words.ERROR)
            seconds = number(record, "start") + number(record, "seconds")
            self.observe(catalogue.STAGES, seconds, stage, step, outcome)
        if stage == "prepare":
            self._count_phases(things)
        if stage in ("prepare", "run") and record.get("reason") == _FAILED_BY_DIND:
            self.add(catalogue.DIND_FAILURES, 1, "failed")
        for thing in things:
            self._count_thing(thing)

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Add to a counter."""
        self._numbers(metric, labels)[0] += max(amount, 0)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Add a value to a histogram."""
        value = max(value, 0.0)
        numbers = self._numbers(metric, labels)
        numbers[bisect_left(metric.buckets, value)] += 1
        numbers[-1] += value

    def as_json(self) -> dict[str, list[list[object]]]:
        """Return what `from_json` takes."""
        return {
            name: [[*labels, *numbers] for labels, numbers in series.items()]
            for name, series in self.series.items()
        }

    @classmethod
    def from_json(cls, said: object) -> Self:
        """Return what `as_json` told; raises ValueError or TypeError where it is something else.

        A metric that has other labels or buckets by now begins at 0, and so does a new one.
        """
        counts = cls()
        if not isinstance(said, dict):
            raise TypeError("series")
        for metric in COUNTED:
            width = len(metric.labels)
            for row in said.get(metric.name, []):
                labels, numbers = row[:width], [float(each) for each in row[width:]]
                if len(numbers) == _width(metric) and all(isinstance(each, str) for each in labels):
                    counts.series[metric.name][tuple(labels)] = numbers
        return counts

    def _count_phases(self, things: Iterable[Record]) -> None:
        spans: dict[str, list[tuple[float, float]]] = {}
        for thing in things:
            what = str(thing.get("what"))
            if what in _PHASES and "to" in thing:
                span = (number(thing, "from"), number(thing, "to"))
                spans.setdefault(what, []).append(span)
        for what, its in spans.items():
            self.observe(catalogue.PHASES, _covered(its), what)

    def _count_thing(self, thing: Record) -> None:
        what = thing.get("what")
        seconds = number(thing, "to") - number(thing, "from")
        policy = _of(str(thing.get("policy")), words.WORDS["policy"], words.OTHER)
        if what == "pull":
            result = _of(str(thing.get("why", words.SUCCESS)), _RESULTS_OF_PULLS, words.OTHER)
            self.add(catalogue.PULLS, 1, result, policy)
            self.add(catalogue.PULL_BYTES, number(thing, "bytes"))
        elif what == IMAGE_OF_HOST:
            self.add(catalogue.PULLS, 1, IMAGE_OF_HOST, policy)
        elif what == "dind":
            self.observe(catalogue.DIND_WAITS, seconds)
        elif what == "cancel":
            self.observe(catalogue.CANCELS, seconds)
        elif what == "without_dind":
            self.add(catalogue.DIND_FAILURES, 1, "left_out")
        elif what == "lost":
            role = str(thing.get("container", "")).partition("-")[0]
            self.add(catalogue.LOST, 1, _of(role, _CONTAINERS, words.OTHER))
        elif what == "disk_filled":
            self.add(catalogue.DISK_FILLED, 1)
        elif what == "sweep" and not number(thing, "stays"):
            reason = _of(str(thing.get("reason")), words.WORDS["reason"], words.OTHER)
            self.add(catalogue.REAPED, 1, reason)
        elif what == "ghost_ended":
            self.add(catalogue.GHOSTS, 1)

    def _numbers(self, metric: Metric, labels: Labels) -> list[float]:
        return self.series[metric.name].setdefault(labels, [0.0] * _width(metric))


_RESULTS_OF_PULLS = frozenset((words.SUCCESS, *words.REASONS.values()))


def _width(metric: Metric) -> int:
    """Return how many numbers a series of a metric has."""
    return len(metric.buckets) + 2 if metric.kind == HISTOGRAM else 1


def _of(value: str, known: Iterable[str], otherwise: str) -> str:
    return value if value in known else otherwise


def _things(record: Record) -> list[Record]:
    did = record.get("did")
    return [each for each in did if isinstance(each, Mapping)] if isinstance(did, list) else []


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return how long at least one of the spans lasts."""
    seconds, end = 0.0, 0.0
    for its_begin, its_end in sorted(spans):
        seconds += max(its_end - max(its_begin, end), 0.0)
        end = max(end, its_end)
    return seconds
