"""Stages that are killed at each of their requests to the engine, and what is left of their jobs.

`python -m tests.load.kill_at_requests` first counts the requests of each stage of some jobs.  Then
it has a job of its own for each fault: the stage dies, by SIGKILL to its process group, before a
request reaches the engine, before its answer comes, or after it.  cleanup comes as gitlab-runner
calls it, or again where it was the one that died.  Then nothing of the job may be left, and a job
beside all of them goes on.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from executor.stages.run import HELPER_SUB_STAGES
from tests.load.deadly_engine import DeadlyEngine, Death, Moment
from tests.rig import state
from tests.rig.state import Rig
from tests.stages import scripts
from tests.stages.calls import Call, JobCalls, Running
from tests.stages.conftest import Changes, Jobs
from tests.stages.registry import Images
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

NO_DIND = {"dind": {"mode": "service"}}
SUB_STAGES = (
    "prepare_script",
    "get_sources",
    "restore_cache",
    "build_script",
    "after_script",
    "upload_artifacts_on_success",
    "cleanup_file_variables",
)
STAGES = ("config", "prepare", *SUB_STAGES, "cleanup")
REPLACED = "after_script in a new container"
"""A sub-stage whose container something removed before, so that it makes another one."""


_CLEANUPS = 32
"""How many may wait at a time for what the engine may still be at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job."""

    name: str
    request: Mapping[str, object]
    changes: Changes
    command: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the stage of which job dies."""

    kind: Kind
    stage: str
    death: Death

    def __str__(self) -> str:
        return (
            f"{self.kind.name}, {self.stage}, request {self.death.number},"
            f" {self.death.moment.value}"
        )


@dataclass(slots=True)
class Account:
    """What all faults came to."""

    requests: dict[tuple[str, str], int] = field(default_factory=dict)
    injected: list[Fault] = field(default_factory=list)
    unreached: list[Fault] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def told(self) -> list[str]:
        """Return what happened, in lines."""
        lines = [
            f"{kind}, {stage}: {count} requests" for (kind, stage), count in self.requests.items()
        ]
        per_kind = Counter(fault.kind.name for fault in self.injected)
        each = ", ".join(f"{count} of {kind}" for kind, count in per_kind.items())
        lines.append(
            f"{len(self.injected)} faults injected ({each}), {len(self.unreached)} not reached,"
            f" {len(self.wrong)} wrong, in {self.seconds:.0f} s"
        )
        return lines


def kinds(service: str) -> tuple[Kind, ...]:
    """Return the jobs: of one image, with a dind, and with a service."""
    services = [{"name": service}]
    return (
        Kind("echo", {"image": "alpine"}, NO_DIND, "echo one"),
        Kind("dind", {"image": "docker:26.1-cli"}, {}, "docker version"),
        Kind("service", {"image": "alpine", "services": services}, NO_DIND, "echo two"),
    )


def begin(job: JobCalls, stage: str, command: str) -> Running:
    """Start a stage of a job, or a sub-stage with its script."""
    if stage in {"prepare", "cleanup"}:
        return job.start(stage)
    if stage == "get_sources":
        return job.start_run(stage, scripts.sources(job.values, frozenset()))
    if stage in HELPER_SUB_STAGES:
        return job.start_run(stage, scripts.whole([f"echo {stage}"]))
    return job.start_run(stage.partition(" ")[0], job.authors(command))


class Faults:
    """The faults of one run, on the rig's engine."""

    def __init__(
        self,
        rig: Rig,
        witness: Witness,
        directory: Path,
        kinds: Sequence[Kind],
        side_by_side: int,
    ) -> None:
        self.account = Account()
        self._busy = threading.Semaphore(side_by_side)
        self._rig = rig
        self._witness = witness
        self._directory = directory
        self._kinds = kinds
        self._jobs = Jobs(rig, witness, directory)
        self._lock = threading.Lock()
        self._ids: list[int] = []

    def learn(self) -> list[Fault]:
        """Run each kind of job once, without any fault; return the faults that it can have."""
        with ThreadPoolExecutor(len(self._kinds)) as pool:
            counts = list(pool.map(self._requests_of, self._kinds))
        faults = []
        for kind, counted in zip(self._kinds, counts, strict=True):
            for stage, count in counted.items():
                self.account.requests[kind.name, stage] = count
                faults += [
                    Fault(kind, stage, Death(number, moment))
                    for number in range(1, count + 1)
                    for moment in Moment
                ]
        return faults

    def _requests_of(self, kind: Kind) -> dict[str, int]:
        counted = {}
        with self._job(kind) as (job, engine):
            for stage in _stages(kind):
                engine.begin()
                self._before(job, stage)
                if stage == "config":
                    job.config().passed()
                else:
                    begin(job, stage, kind.command).finish().passed()
                counted[stage] = len(engine.asked())
        return counted

    def inject(self, fault: Fault) -> None:
        """Have a job of its own die at this place, clean up, and note what is wrong after that."""
        with self._job(fault.kind) as (job, engine):
            try:
                problems = self._inject(fault, job, engine)
            except AssertionError as error:
                engine.begin()
                job.cleanup()
                problems = [str(error)]
            problems += [f"a request that cannot be counted: {each}" for each in engine.uncounted]
        with self._lock:
            (self.account.injected if engine.died_at else self.account.unreached).append(fault)
            self.account.wrong += [f"{fault} ({engine.died_at}): {each}" for each in problems]

    def _inject(self, fault: Fault, job: JobCalls, engine: DeadlyEngine) -> list[str]:
        with self._busy:
            call = self._die(fault, job, engine)
        volumes = self._witness.volumes(job.id)
        engine.begin()
        problems = []
        # The last script's stage waits for no answer to this one, and may have ended before it dies.
        ends = fault.stage == "cleanup_file_variables" and "/disconnect" in engine.died_at
        late = ends or fault.death.moment == Moment.AFTER
        if engine.died_at and call.code != -signal.SIGKILL and not late:
            problems.append(f"{call.stage} ended with {call.code}: {call.output}")
        # Most wait for what the engine may still be at, all of them at the same time.
        cleanup = job.cleanup()
        if cleanup.code:
            problems.append(f"cleanup ended with {cleanup.code}: {cleanup.output}")
        problems += [f"left: {each}" for each in self._witness.objects(job.id)]
        problems += [f"left: volume {each}" for each in volumes if self._witness.has_volume(each)]
        return problems

    def _die(self, fault: Fault, job: JobCalls, engine: DeadlyEngine) -> Call:
        """Call the stages up to the one that dies."""
        job.config().passed()
        stages = _stages(fault.kind)[1:]
        for stage in stages[: stages.index(fault.stage)]:
            if stage != REPLACED:
                begin(job, stage, fault.kind.command).finish().passed()
        self._before(job, fault.stage)
        engine.begin(fault.death)
        running = begin(job, fault.stage, fault.kind.command)
        engine.aim(running.process.pid)
        return running.finish()

    def _before(self, job: JobCalls, stage: str) -> None:
        if stage == REPLACED:
            self._witness.container(job.id, "build").remove(force=True)

    def late(self) -> list[str]:
        """Return what appeared of the jobs after their cleanup."""
        return [f"left late: {each}" for id_ in self._ids for each in self._witness.objects(id_)]

    @contextmanager
    def _job(self, kind: Kind) -> Iterator[tuple[JobCalls, DeadlyEngine]]:
        request = JobRequest(**kind.request)  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory(prefix="e") as short:
            engine = DeadlyEngine(Path(short) / "s", self._rig.engine_host)
            changes = {**kind.changes, "docker": {"host": engine.host}}
            with self._lock:
                job = self._jobs.start(request, changes)
                self._ids.append(request.id)
            try:
                yield job, engine
            except BaseException:
                engine.begin()
                job.cleanup()
                raise
            finally:
                engine.close()


def _stages(kind: Kind) -> tuple[str, ...]:
    before = STAGES.index("after_script") + 1
    more = (REPLACED,) if kind.name == "echo" else ()
    return (*STAGES[:before], *more, *STAGES[before:])


class Neighbour:
    """A job with a dind of its own, whose script runs while others die."""

    def __init__(self, job: JobCalls, witness: Witness) -> None:
        job.up()
        job.script("docker run -d --name lasting busybox sleep 3600").passed()
        self._job = job
        self._witness = witness
        self._objects = witness.objects(job.id)
        wait = "until test -e over; do sleep 0.2; done"
        self._running = job.start_run(
            "build_script", job.authors("echo begun", wait, "docker ps --format '{{.Names}}'")
        )
        self._running.wait_for("begun\n")

    def end(self) -> list[str]:
        """Let the script end, and return what harm was done to the job."""
        ending = scripts.authors(self._job.values, frozenset(), ["touch over"])
        self._job.run("get_sources", ending).passed()
        call = self._running.finish()
        harmed = self._witness.objects(self._job.id) != self._objects
        problems = ["the neighbour's objects are others"] if harmed else []
        if call.code or not call.stdout.endswith("lasting\n"):
            problems.append(f"the neighbour's script ended with {call.code}: {call.output}")
        return problems

    def close(self) -> None:
        """Clean up."""
        self._job.cleanup().passed()


def run(rig: Rig, directory: Path, *, every: int, side_by_side: int, first: int = 1) -> Account:
    """Inject every so many of all faults from the first one on, some at a time."""
    started = time.monotonic()
    witness = Witness(rig.engine_host)
    images = Images(witness)
    try:
        service = rig.special("tests/with-volume:faults")
        web = images.variant(rig.special("tools/web:1"), "volume", "VOLUME /var/data")
        images.publish(web, service)
        faults = Faults(rig, witness, directory, kinds(service), side_by_side)
        beside = Jobs(rig, witness, directory).start(JobRequest("docker:26.1-cli"))
        with closing(Neighbour(beside, witness)) as neighbour:
            chosen = faults.learn()[first - 1 :: every]
            with ThreadPoolExecutor(side_by_side + _CLEANUPS) as pool:
                list(pool.map(faults.inject, chosen))
            account = faults.account
            account.wrong += neighbour.end() + faults.late()
    finally:
        images.remove_all()
        witness.close()
    account.seconds = time.monotonic() - started
    return account


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where something was left or a neighbour was harmed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.kill_at_requests")
    parser.add_argument("--every", type=int, default=1, help="of the faults (default: each)")
    parser.add_argument("--first", type=int, default=1, help="fault to begin with")
    parser.add_argument("--side-by-side", type=int, default=6, help="stages at a time")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="kill-at-requests-") as directory:
        account = run(
            state.load(),
            Path(directory),
            every=given.every,
            side_by_side=given.side_by_side,
            first=given.first,
        )
    print(*account.told(), *account.wrong, sep="\n")
    return 1 if account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
