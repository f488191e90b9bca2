"""Two installed versions of dind-executor in turn, through a real gitlab-runner.

What `job_time --before REVISION` prints: the median of each job, whole and without its script, the
processor time of its stages, the requests of prepare to the engine for an image of root's and for
one of another user, and what `stage_cost` measures without an engine.
"""

import contextlib
import statistics
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import stage_cost
from benchmarks.engine_requests import CountingEngine, counting
from benchmarks.jobs import JOBS, MeasuredJob, script_seconds
from benchmarks.stage_cost import Version
from executor.local.pipeline.file import parse_pipeline
from tests import toml
from tests.gitlab import leftovers, runner, server, sources, trace
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.runner import Runner
from tests.rig.state import Rig

# One of root's and one of another user's; both are ordinary jobs but for that.
IMAGES = {"root's image": "docker:20.10.16", "another user's image": "tools/other-user:1"}
_COUNTED = "job: {{image: '{image}', script: [echo hello]}}"
# What a wait asks again and again differs from job to job: the fewest of some jobs count.
_COUNTED_JOBS = 3


@dataclass(slots=True)
class Figures:
    """What one version took for one job, in seconds, job by job."""

    whole: list[float] = field(default_factory=list)
    without_script: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """A GitLab and a runner with one version."""

    runner: Runner
    pushed: Pushed

    def run(self, text: str, source: str) -> tuple[float, float, float]:
        """Run the only job; return its seconds, its script's, and its stages' processor time."""
        before = processor_seconds(self.runner.process.pid)
        job = self.pushed.start_only(parse_pipeline(text, source)).wait()
        self.runner.wait_until_left(job.id)
        log = trace.plain(job.trace)
        if job.state != "success":
            raise SystemExit(f"benchmarks/job_time.py: the job has failed:\n{log}")
        used = processor_seconds(self.runner.process.pid) - before
        return job.seconds, script_seconds(log), used


def processor_seconds(pid: int) -> float:
    """Return the processor time of the processes that a process has started and seen end."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ticks = int(fields[13]) + int(fields[14])
    return ticks / 100


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
        places = {
            version.name: stack.enter_context(
                _working(rig, version, rig.settings, directory / f"{job.name}-{version.name}")
            )
            for version in versions
        }
        for number in range(rounds + 1):
            # Who is first may find the engine warm, or not: both are first in turn.
            for name in sorted(places, reverse=bool(number % 2)):
                whole, script, processor = places[name].run(job.pipeline_text(rig), job.name)
                if number:
                    figures = found[name]
                    figures.whole.append(whole)
                    figures.without_script.append(whole - script)
                    figures.processor.append(processor)
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
                text = _COUNTED.format(image=name)
                place.run(text, what)  # has pulled the image for those that count
                engine.take()
                taken = []
                for _ in range(_COUNTED_JOBS):
                    place.run(text, what)
                    taken.append(engine.take()["prepare"])
                found[what] = min(taken, key=len)
    return found


def _settings_behind(rig: Rig, engine: CountingEngine, directory: Path) -> Path:
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    tables["docker"]["host"] = engine.host
    settings = directory / "settings.toml"
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    return settings


@contextlib.contextmanager
def _working(rig: Rig, version: Version, settings: Path, directory: Path) -> Iterator[_Place]:
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        runner.working(
            gitlab, runner.custom(settings, version.hooks), directory / "runner", concurrent=1
        ) as started,
    ):
        checkout = sources.commit(rig.project, directory / "project")
        yield _Place(started, Pushed(gitlab, checkout, project_variables(rig.variables())))
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)


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
