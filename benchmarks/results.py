"""What was measured, sample by sample, in a file that a later run of the command continues."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

_VERSION = 1

Figures = Mapping[str, float]
"""Seconds by what they are: `wall`, `script`, and processor time: `runner`, `host`."""


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """One measurement: in which run and round, of which part and case, and by whom."""

    run: int
    part: str
    dind: str
    round: int
    case: str
    who: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What a task took; no figures where its job failed."""

    task: Task
    figures: Figures


@dataclass(frozen=True, slots=True)
class Results:
    """The samples, and where they were taken."""

    made: Mapping[str, object]
    """Versions and machine: samples of different ones never share a file."""
    loads: Mapping[str, float]
    """How busy the machine was as each run began, before it measured anything."""
    dinds: Mapping[str, str]
    """The version of each generation of dind."""
    samples: tuple[Sample, ...]

    @property
    def done(self) -> frozenset[Task]:
        """What needs no more measuring."""
        return frozenset(each.task for each in self.samples)

    def without_failures(self) -> "Results":
        """Return the same without jobs that failed, which are measured again."""
        return replace(self, samples=tuple(each for each in self.samples if each.figures))


def read(path: Path) -> Results:
    """Return what a file holds; raise ValueError for one of another version."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("version") != _VERSION:
        raise ValueError(f"{path} is not of version {_VERSION}")
    samples = tuple(_sample(each) for each in document["samples"])
    return Results(document["made"], document["loads"], document["dinds"], samples)


def write(path: Path, results: Results) -> None:
    """Write a file whole or not at all, with a line for each sample."""
    head = {"version": _VERSION, "made": results.made}
    head |= {"loads": results.loads, "dinds": results.dinds}
    text = json.dumps(head, indent=1).removesuffix("\n}")
    lines = ",\n".join(f"  {json.dumps(_told(each))}" for each in results.samples)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(f'{text},\n "samples": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    beside.replace(path)


def failures(samples: Iterable[Sample]) -> int:
    """Return how many of the samples are of jobs that failed."""
    return sum(not each.figures for each in samples)


def _told(sample: Sample) -> dict[str, object]:
    figures = {key: round(value, 4) for key, value in sample.figures.items()}
    return {**asdict(sample.task), "figures": figures}


def _sample(entry: Mapping[str, Any]) -> Sample:
    task = {key: entry[key] for key in Task.__dataclass_fields__}
    return Sample(Task(**task), entry["figures"])
