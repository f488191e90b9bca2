"""SIGKILL of a gitlab-runner and of all its stages in the middle of a job: what the next jobs sweep.

`python -m tests.load.kills --times 12` kills at random moments, 0.5 to 5 seconds into a job with a
Docker daemon of its own; `--alone` kills gitlab-runner only, whose stage then goes on as an orphan.
Another gitlab-runner on the same engine works all the while on a job of its own, and takes the next
jobs: when the next one has ended and one more has begun, nothing of the dead job may be left on the
engine or in the directory of temporary files, and the job must have ended in GitLab.
"""

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import leftovers, runner, server, sources
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.runner import Runner
from tests.rig import state
from tests.rig.engine import connect
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

EARLIEST, LATEST = 0.5, 5.0
"""When a job is killed, in seconds after gitlab-runner took it."""

ENOUGH = 2
"""How many jobs it may take: when the next one has ended and one more has begun, nothing is left."""

VICTIM = """
victim:
  image: docker:20.10.16
  script: ['docker version --format two', 'sleep 120']
"""
NEXT = """
next:
  image: alpine
  script: ['echo beg""un']
"""
SIBLING = """
sibling:
  image: docker:20.10.16
  script:
    - docker run -d --name lasting busybox sleep 3600
    - echo beg""un; while [ ! -e /tmp/go ]; do sleep 0.2; done
    - docker exec lasting true && echo still he""re
"""
_JOB_SECONDS = 180
_MOST_JOBS = 6


@dataclass(frozen=True, slots=True)
class Kill:
    """What one kill came to."""

    job: Job
    seconds: float
    """How long gitlab-runner had had the job."""
    stages: int
    """How many processes it had."""
    left: tuple[str, ...]
    """What the dead job had on the engine."""
    jobs: int
    """How many jobs had begun when nothing was left of it."""
    over: tuple[str, ...]
    """What was left when that many should have been enough."""
    ghost: str
    """How the job ended in GitLab."""


@dataclass(slots=True)
class Host:
    """A host with one engine, on which a gitlab-runner lives and others are killed."""

    rig: Rig
    checkout: Checkout
    directory: Path
    survivor: Runner
    pushed: Pushed
    sibling: Job
    kills: list[Kill] = field(default_factory=list)

    @property
    def temporary(self) -> Path:
        """Where both gitlab-runners make temporary directories."""
        return self.directory / "tmp"

    def kill(self, after_seconds: float, *, alone: bool = False, most: int = _MOST_JOBS) -> Kill:
        """Kill a gitlab-runner in a job, and have jobs follow until nothing of that is left."""
        place = self.directory / f"victim{len(self.kills)}"
        environment = {"TMPDIR": str(self.temporary)}
        table = runner.custom(self.rig.settings)
        with server.serving(place / "repositories", self.rig.address) as gitlab:
            with runner.working(gitlab, table, place, environment=environment) as started:
                job = Pushed(gitlab, self.checkout).start_only(parse_pipeline(VICTIM, "test"))
                _until_taken(job)
                time.sleep(after_seconds)
                stages = kill_all(started.pid, alone=alone)
            left = tuple(leftovers.of_jobs(self.rig.engine_host, [job]))
            jobs, over = self._sweep(job, most)
            ghost = f"{job.state} {job.failure_reason}"
            made = Kill(job, after_seconds, stages, left, jobs, over, ghost)
        self.kills.append(made)
        return made

    def left_of(self, job: Job) -> tuple[str, ...]:
        """Return what is left of a job: objects of the engine, and temporary directories."""
        files = sorted(self.temporary.glob("custom-executor*"))
        payloads = [each for each in files if _is_of(each, job)]
        return (*leftovers.of_jobs(self.rig.engine_host, [job]), *map(str, payloads))

    def _sweep(self, dead: Job, most: int) -> tuple[int, tuple[str, ...]]:
        """Run jobs until nothing is left of a dead one; return how many, and what was left late."""
        late: tuple[str, ...] = ()
        for number in range(1, most + 1):
            job = self.pushed.start_only(parse_pipeline(NEXT, "test"))
            job.wait_for("\nbegun")
            left = self.left_of(dead)
            if left and number >= ENOUGH:
                late = late or left
            assert job.wait(_JOB_SECONDS).state == "success", job
            self.survivor.wait_until_left(job.id)
            if not left:
                return number, late
        return most + 1, late


@contextlib.contextmanager
def host(rig: Rig, directory: Path) -> Iterator[Host]:
    """Have a host on which a job goes on until the end of the block; it must then end well."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    (directory / "tmp").mkdir()
    environment = {"TMPDIR": f"{directory}/tmp"}
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        runner.working(
            gitlab, runner.custom(rig.settings), directory / "survivor", environment=environment
        ) as survivor,
    ):
        pushed = Pushed(gitlab, checkout)
        sibling = pushed.start_only(parse_pipeline(SIBLING, "test"))
        sibling.wait_for("\nbegun")
        made = Host(rig, checkout, directory, survivor, pushed, sibling)
        try:
            yield made
        finally:
            _let_go(rig, sibling)
        assert sibling.wait(_JOB_SECONDS).state == "success", sibling.trace[-4000:]
        assert b"\nstill here" in sibling.trace
        survivor.wait_until_left(sibling.id)
        assert leftovers.of_jobs(rig.engine_host, gitlab.jobs()) == []
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)


def kill_all(pid: int, *, alone: bool = False) -> int:
    """Kill a process and, unless it is to die alone, all below it; return how many those were."""
    below = _below(pid)
    os.kill(pid, signal.SIGKILL)
    for each in () if alone else below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return len(below)


def _below(pid: int) -> list[int]:
    """Return all processes that a process has started, and those that they have."""
    parents: dict[int, int] = {}
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            stat = (each / "stat").read_text(encoding="utf-8", errors="replace")
            parents[int(each.name)] = int(stat.rpartition(") ")[2].split()[1])
    found = [pid]
    for known in found:
        found += [each for each, parent in parents.items() if parent == known]
    return found[1:]


def _until_taken(job: Job) -> None:
    until = time.monotonic() + _JOB_SECONDS
    while job.state == "pending":
        assert time.monotonic() < until, "no gitlab-runner takes the job"
        time.sleep(0.01)


def _is_of(directory: Path, job: Job) -> bool:
    with contextlib.suppress(OSError):
        return job.token in (directory / "response.json").read_text(encoding="utf-8")
    return False


def _let_go(rig: Rig, job: Job) -> None:
    """Let the script that waits in a job go on, if it is there."""
    with connect(rig.engine_host) as client:
        wanted = {"label": [f"dind-executor.job-id={job.id}", "dind-executor.type=build"]}
        for each in client.containers(filters=wanted):
            client.exec_start(client.exec_create(each["Id"], ["touch", "/tmp/go"])["Id"])


def told(kills: Sequence[Kill]) -> Iterator[str]:
    """Yield what kills came to."""
    for each in kills:
        yield (
            f"killed after {each.seconds:.1f} s with {each.stages} processes: {len(each.left)}"
            f" objects left; none when job {each.jobs} had begun; in GitLab: {each.ghost}"
        )
    objects = [len(each.left) for each in kills]
    yield f"{len(kills)} kills, {sum(objects)} objects, median {statistics.median(objects)}"


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where anything of a dead job was left too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.kills")
    parser.add_argument("--times", type=int, default=12, help="kills (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="kill gitlab-runner and no stage")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args(args)
    print(f"seed {given.seed}", flush=True)
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as directory, host(state.load(), Path(directory)) as there:
        for _ in range(given.times):
            there.kill(chance.uniform(EARLIEST, LATEST), alone=given.alone)
            print(*list(told(there.kills))[len(there.kills) - 1 : -1], sep="\n", flush=True)
    print(*list(told(there.kills))[-1:], sep="\n")
    late = [each for each in there.kills if each.over]
    for each in late:
        print(f"left after {ENOUGH} jobs: {', '.join(each.over)}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
