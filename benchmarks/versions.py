"""Two installed versions of dind-executor in turn, through a real gitlab-runner.

    python -m benchmarks.versions --before REVISION [--rounds N] [--json FILE]

Prints the median of each job, whole and without its script, its processor time, the requests of
prepare to the engine for an image of root's and for one of another user, and what `stage_cost`
measures without an engine.
"""

import argparse
import contextlib
import json
import statistics
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import places, stage_cost
from benchmarks.engine_requests import CountingEngine, counting
from benchmarks.jobs import GENERATIONS, JOBS, MeasuredJob
from benchmarks.places import Place
from benchmarks.stage_cost import Version
from executor.local.pipeline.file import parse_pipeline
from tests import toml
from tests.gitlab import runner
from tests.rig import state
from tests.rig.state import Rig

# One of root's and one of another user's; both are ordinary jobs but for that.
IMAGES = {"root's image": "docker:20.10.16", "another user's image": "tools/other-user:1"}
_COUNTED = "job: {{image: '{image}', script: [echo hello]}}"
# What a wait asks again and again differs from job to job: the fewest of some jobs count.
_COUNTED_JOBS = 3
_DIND = "26.1"


@dataclass(slots=True)
class Figures:
    """What one version took for one job, in seconds, job by job."""

    whole: list[float] = field(default_factory=list)
    without_script: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def compare(rig: Rig, before: str, rounds: int) -> dict[str, object]:
    """Measure two versions, print what is found, and return it."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="job-time-") as name,
        stage_cost.installed(before, Path(name)) as versions,
    ):
        directory = Path(name)
        jobs = {job.name: _measured(rig, job, versions, directory, rounds) for job in JOBS}
        for job, figures in jobs.items():
            print(_table(job, figures))
        requests = {
            version.name: _requests(rig, version, directory / f"requests-{version.name}")
            for version in versions
        }
        for line in _request_lines(requests):
            print(line)
        print("\nwithout an engine", flush=True)
        medians = stage_cost.compare(versions, rounds)
        for line in stage_cost.table(versions, medians):
            print(f"  {line}")
    print(f"\n{rounds} rounds in {time.monotonic() - begun:.0f} s")
    return {
        "jobs": {
            job: {version: _medians(each) for version, each in figures.items()}
            for job, figures in jobs.items()
        },
        "requests of prepare": requests,
        "stages": medians,
    }


def _measured(
    rig: Rig, job: MeasuredJob, versions: Sequence[Version], directory: Path, rounds: int
) -> dict[str, Figures]:
    """Run one job by each version in turn; the first round pulls images and is not counted."""
    found = {version.name: Figures() for version in versions}
    with contextlib.ExitStack() as stack:
        working = {
            version.name: stack.enter_context(
                _working(rig, version, rig.settings, directory / f"{job.name}-{version.name}")
            )
            for version in versions
        }
        for number in range(rounds + 1):
            # Who is first may find the engine warm, or not: both are first in turn.
            for name in sorted(working, reverse=bool(number % 2)):
                taken = working[name].run(job.pipeline(rig, GENERATIONS[_DIND]))
                if number:
                    figures = found[name]
                    figures.whole.append(taken["wall"])
                    figures.without_script.append(taken["wall"] - taken["script"])
                    figures.processor.append(taken["runner"])
    return found


def _requests(rig: Rig, version: Version, directory: Path) -> dict[str, list[str]]:
    """Return the requests of prepare for each image, as a list of what they are."""
    directory.mkdir()
    with counting(directory / "engine.sock", rig.engine_host) as engine:
        settings = _settings_behind(rig, engine, directory)
        with _working(rig, version, settings, directory / "runner") as place:
            found = {}
            for what, image in IMAGES.items():
                name = rig.special(image) if image.startswith("tools/") else image
                pipeline = parse_pipeline(_COUNTED.format(image=name), what)
                place.run(pipeline)  # has pulled the image for those that count
                engine.take()
                taken = []
                for _ in range(_COUNTED_JOBS):
                    place.run(pipeline)
                    taken.append(engine.take()["prepare"])
                found[what] = min(taken, key=len)
    return found


def _settings_behind(rig: Rig, engine: CountingEngine, directory: Path) -> Path:
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    tables["docker"]["host"] = engine.host
    settings = directory / "settings.toml"
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    return settings


def _working(
    rig: Rig, version: Version, settings: Path, directory: Path
) -> contextlib.AbstractContextManager[Place]:
    return places.working(rig, runner.custom(settings, version.hooks), directory)


def _medians(figures: Figures) -> dict[str, float]:
    return {
        "whole": statistics.median(figures.whole),
        "without its script": statistics.median(figures.without_script),
        "processor": statistics.mean(figures.processor),
    }


def _table(job: str, figures: Mapping[str, Figures]) -> str:
    """Return the figures of one job as text: medians, of the processor's time the mean."""
    medians = {version: _medians(each) for version, each in figures.items()}
    lines = [f"\n{job}"]
    for what in ("whole", "without its script", "processor"):
        before, after = (medians[version][what] for version in ("before", "after"))
        change = (after / before - 1) * 100
        lines.append(f"  {what:20} before {before:7.3f} s  after {after:7.3f} s  {change:+6.1f} %")
    return "\n".join(lines)


def _request_lines(requests: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    """Tell how many requests prepare makes, and which are more and fewer than before."""
    yield "\nrequests of prepare to the engine"
    for what in IMAGES:
        before, after = (Counter(requests[version][what]) for version in ("before", "after"))
        counted = f"before {before.total():3}  after {after.total():3}"
        yield f"  {what:20} {counted}  {after.total() - before.total():+}"
        yield from (f"    more:  {each} ({count})" for each, count in (after - before).items())
        yield from (f"    fewer: {each} ({count})" for each, count in (before - after).items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--before", required=True, help="a revision to compare this version with")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    options = parser.parse_args()
    found = compare(state.load(), options.before, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
