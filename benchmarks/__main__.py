"""What jobs cost: dind-executor, gitlab-runner's own Docker executor, and bare engine calls.

    python -m benchmarks [--only PART ...] [--dind GENERATION ...] [--rounds N] [--runs N] [--save FILE]

Needs the rig of the tests (`python -m tests.rig up`), and a gitlab-runner on PATH for all that is
compared with it.  The contenders take turns in each round, on the same engine and the same images.
A FILE that is there is continued: what it has is not measured again, except for jobs that failed.
`python -m benchmarks.page` makes docs/benchmarks.md of it.

Parts: jobs (one after the other), at-once (1 to 40 jobs with a Docker daemon), layers (a Dockerfile with
and without what an earlier job built), log (300 MB), and stages (dind-executor's own program, without
an engine).
"""

import argparse
import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import docker
from docker.errors import APIError

from benchmarks import results
from benchmarks.by_hand import REPOSITORY
from benchmarks.contenders import Measure
from benchmarks.figures import summary
from benchmarks.jobs import GENERATIONS
from benchmarks.parts import Part, all_parts, measuring
from benchmarks.places import JobFailed
from benchmarks.results import Results, Sample, Task
from tests.gitlab import runner
from tests.rig import state
from tests.rig.state import Rig


@dataclass(frozen=True, slots=True)
class Group:
    """What is measured with the same runners at work."""

    part: Part
    dind: str
    tasks: tuple[Task, ...]

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return sum(self.part.seconds(each.case, each.who) for each in self.tasks)


def groups(
    parts: Sequence[Part], dinds: Sequence[str], runs: int, rounds: int, done: frozenset[Task]
) -> Iterator[Group]:
    """Return what is still to do, run by run, each with its own first round that warms up."""
    for run in range(1, runs + 1):
        for part in parts:
            for dind in dinds if part.of_each_dind else dinds[:1]:
                tasks = part.tasks(run, dind, rounds)
                left = tuple(each for each in tasks if each not in done)
                if any(each.round for each in left):
                    yield Group(part, dind, left)


def main(args: Sequence[str] | None = None) -> int:
    """Measure, save and print; return 1 where a measured job failed."""
    options = _options(args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rig = state.load()
    found = Results(described(rig), {}, {}, ())
    if options.save and options.save.exists():
        found = results.read(options.save).without_failures()
        if found.made != described(rig):
            sys.exit(f"{options.save} was made with {found.made}, not with {described(rig)}")
    dinds = {name: dind_version(rig, name) for name in options.dind}
    found = replace(found, dinds={**found.dinds, **dinds})
    there = all_parts(has_runner=runner.is_there())
    parts = [part for part in there if part.name in (options.only or [part.name])]
    todo = list(groups(parts, options.dind, options.runs, options.rounds, found.done))
    clock = _Clock(sum(group.seconds for group in todo))
    for group in todo:
        loads = {str(group.tasks[0].run): os.getloadavg()[0], **found.loads}
        found = replace(found, loads=loads)
        with measuring(group.part, rig, group.dind) as measure:
            for task in group.tasks:
                found = _measured(found, task, measure)
                clock.took(group.part.seconds(task.case, task.who))
                if options.save:
                    results.write(options.save, found)
                print(clock.told(task), flush=True)
    print(*summary(found), sep="\n")
    return 1 if results.failures(found.samples) else 0


def _measured(found: Results, task: Task, measure: Measure) -> Results:
    """Measure once; a job that fails is said, and counts as a sample without figures."""
    try:
        figures = measure(task)
    except (JobFailed, TimeoutError) as error:
        print(f"{task.case} by {task.who} has failed:\n{error}", file=sys.stderr, flush=True)
        figures = {}
    sample = Sample(task, figures)
    return replace(found, samples=(*found.samples, sample)) if task.round else found


class _Clock:
    """How long it still takes, from how long it took so far."""

    def __init__(self, seconds: float) -> None:
        self._ahead, self._done, self._begun = seconds, 0.0, time.monotonic()
        print(f"This takes about {seconds / 60:.0f} minutes.", flush=True)

    def took(self, seconds: float) -> None:
        """Note that what was to take so long is done."""
        self._done += seconds
        self._ahead -= seconds

    def told(self, task: Task) -> str:
        """Return where the measurement is."""
        left = self._ahead * (time.monotonic() - self._begun) / self._done / 60
        what = f"run {task.run}, {task.part} {task.dind}, round {task.round}: {task.case}"
        return f"{what} by {task.who}, {left:.0f} minutes left"


def described(rig: Rig) -> dict[str, object]:
    """Return what the figures depend on: other versions are other figures."""
    code = ("--", "executor", "hooks")
    revision = _git("log", "-1", "--format=%h", *code)
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "dind-executor": f"{revision} with changes" if _git("status", "-s", *code) else revision,
        "gitlab-runner": runner.version() if runner.is_there() else "",
        "engine": rig.engine_version,
        "images": rig.images,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": model[0] if model else platform.machine(),
    }


def dind_version(rig: Rig, name: str) -> str:
    """Return the version of dockerd in an image of dind."""
    image_name = GENERATIONS[name].dind
    with contextlib.closing(docker.DockerClient(base_url=rig.engine_host)) as client:
        try:
            image = client.images.pull(image_name)
        except APIError as error:
            sys.exit(f"The rig has no {image_name}, see docs/benchmarks.md: {error.explanation}")
    values = (each.partition("=") for each in image.attrs["Config"]["Env"])
    return next((value for key, _, value in values if key == "DOCKER_VERSION"), name)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    parts = [part.name for part in all_parts(has_runner=runner.is_there())]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=parts, metavar="PART", help=f"of {parts}")
    parser.add_argument("--dind", nargs="+", choices=[*GENERATIONS], default=["26.1"])
    parser.add_argument("--rounds", type=_positive, default=15, help="of each run (default: 15)")
    parser.add_argument("--runs", type=_positive, default=3, help="(default: 3)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write each sample there at once")
    return parser.parse_args(args)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
