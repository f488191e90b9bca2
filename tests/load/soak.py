"""Many jobs in a row with some kills among them, and what has grown meanwhile.

`python -m tests.load.soak` runs them through gitlab-runner on an engine of its own, where nobody
else is counted.  A kill is SIGKILL to a stage, to gitlab-runner and all of its stages, or to
gitlab-runner alone, which begins anew then.  After some jobs more and a rest everything is as at the
beginning: objects of the engine, its mounts, iptables rules, processes and open files, and files in
gitlab-runner's temporary directory.

The rest is over as soon as that is so.  It may take minutes: dockerd leaves sockets of namespaces that
are gone to Go's garbage collector, which runs every two minutes where nothing happens.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.runner import notes
from executor.sweep.processes import find_stages
from tests.gitlab import runner, server, sources
from tests.gitlab.jobs import FINAL_STATES, Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.runner import Runner
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig
from tests.stages.conftest import settings_text
from tests.stages.own_engine import OwnEngine, own_engine
from tests.stages.witness import Witness

PIPELINE = """
echo:
  image: alpine
  script: [echo one, sleep 0.5]
builds:
  image: docker:26.1-cli
  services: ["docker:26.1-dind"]
  script: [docker version]
serves:
  image: alpine
  services: [{name: alpine, alias: beside, command: [sleep, "600"]}]
  script: [echo two]
"""
STAGE, RUNNER_AND_STAGES, RUNNER = "a stage", "gitlab-runner and its stages", "gitlab-runner"
KILLS = (RUNNER_AND_STAGES, STAGE, RUNNER)
_JOB_SECONDS = 300.0
LATEST_SECONDS = 4.0
"""How long after a job began it may be hit."""
_SETTLED_SECONDS = 3.0
"""How long nothing changes after the first jobs."""
_CENSUS = """
p=$(cat /var/run/docker.pid)
echo mounts $(wc -l </proc/$p/mounts)
echo rules $( (iptables-save; iptables-legacy-save; ip6tables-save) 2>/dev/null | grep -c '^-A')
echo bridges $(ls /sys/class/net | grep -c '^br-\\|^veth')
echo files $(ls /proc/$p/fd | wc -l)
echo processes $(ls -d /proc/[0-9]* | wc -l)
"""


@dataclass(slots=True)
class Account:
    """What was run, and what was counted before and after."""

    jobs: int = 0
    kills: list[str] = field(default_factory=list)
    ghosts: list[Job] = field(default_factory=list)
    unsigned: int = 0
    """How many directories of jobs a kill left that did not say yet whose they are."""
    untold: list[Job] = field(default_factory=list)
    """Jobs whose payload gitlab-runner had not written yet: nobody else knows of them."""
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """What gitlab-runner's temporary directory has at the end."""

    def told(self) -> list[str]:
        """Return it in lines."""
        first = (
            f"{self.jobs} jobs, {len(self.kills)} kills ({', '.join(self.kills)});"
            f" {len(self.ghosts)} jobs lost their gitlab-runner, and"
            f" {sum(job.state in FINAL_STATES for job in self.ghosts)} of them were ended;"
            f" of {len(self.untold)} gitlab-runner had not written the payload;"
            f" {self.unsigned} directories had no note yet"
        )
        return [first, *(f"{k:12} {self.before[k]:6} {n:6}" for k, n in self.after.items())]

    def running(self) -> list[str]:
        """Return which jobs run on for GitLab though nobody has them, and could have been ended."""
        return [
            f"job {job.id} lost its gitlab-runner, and is {job.state}"
            for job in self.ghosts
            if job not in self.untold and job.state not in FINAL_STATES
        ]

    def grown(self) -> list[str]:
        """Return what there is more of."""
        return _grown(self.before, self.after)


def _grown(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    return [
        f"{what}: {before[what]} before, {count} after"
        for what, count in after.items()
        if count > before[what]
    ]


class Soak:
    """One gitlab-runner after another, on one engine, for one GitLab."""

    def __init__(self, rig: Rig, engine: OwnEngine, directory: Path, chance: random.Random) -> None:
        self.account = Account()
        self._rig = rig
        self._engine = engine
        self._there = Witness(engine.host)
        self._directory = directory
        self._chance = chance
        self._temp = directory / "tmp"
        self._temp.mkdir()
        self._runners = 0
        self._hit: set[int] = set()
        settings = directory / "settings.toml"
        log = {"log": {"path": str(directory / "operator.log")}}
        settings.write_text(settings_text(rig, engine.changes, {"dind": self._dind()}, log))
        self._table = runner.custom(settings)

    def _dind(self) -> dict[str, object]:
        # The engine in a container shares a machine that may be busy.
        return {**self._engine.changes["dind"], "mode": "service", "ready_timeout": 300}

    def run(
        self,
        jobs: int,
        kills: Sequence[str],
        concurrent: int,
        rest_seconds: float,
        latest_seconds: float,
    ) -> None:
        """Run jobs, each kill at a moment of its own, and count before and after."""
        self._latest_seconds = latest_seconds
        checkout = sources.commit(PROJECT_FILES, self._directory / "tree")
        with server.serving(self._directory / "repositories", self._rig.address) as gitlab:
            self._pushed = Pushed(gitlab, checkout)
            # What the first jobs leave on purpose: images, caches and sources.
            self._work(self._start(3), [], concurrent)
            self.account.before = self._rest(rest_seconds)
            self._work(self._start(jobs), list(kills), concurrent)
            # Their prepare sweeps what the last kill left, beside its own work.
            self._work(self._start(2), [], 1)
            self.account.after = self._rest(rest_seconds, until_as_before=True)
            self.account.files = [
                f"{each.relative_to(self._temp)}: {each.stat().st_size} bytes"
                for each in sorted(self._temp.rglob("*"))
            ]
        self.account.jobs = jobs

    def _start(self, count: int) -> list[Job]:
        # What the runner before asked for last may be answered only now, and nobody would hear it.
        self._pushed.gitlab.renew_runner_token()
        pipeline = parse_pipeline(PIPELINE, "test")
        facts = self._pushed.facts(pipeline)
        definitions = list(self._pushed.jobs_of(pipeline, facts).values())
        return [
            self._pushed.start(definitions[number % len(definitions)], facts)
            for number in range(count)
        ]

    def _work(self, jobs: list[Job], kills: list[str], concurrent: int) -> None:
        """Have jobs done, by as many gitlab-runners one after another as the kills take."""
        print(f"{time.strftime('%X')} {len(jobs)} jobs, {len(kills)} kills", flush=True)
        # Each kill hits while another job has just begun.
        places = sorted(self._chance.sample(range(len(jobs)), len(kills)))
        due = [(jobs[place], self._chance.uniform(0.0, self._latest_seconds), kill)
               for place, kill in zip(places, kills, strict=True)]  # fmt: skip
        lost: set[int] = set()
        while any(not _is_over(job, lost) for job in jobs):
            self._runners += 1
            self._pushed.gitlab.renew_runner_token()
            with runner.working(
                self._pushed.gitlab,
                self._table,
                self._directory / f"runner-{self._runners}",
                concurrent=concurrent,
                environment={"TMPDIR": str(self._temp)},
            ) as working:
                self._watch(working, jobs, due, lost)
        self.account.wrong += [
            f"job {job.id} ended {job.state} ({job.failure_reason}):"
            f" {job.trace.decode(errors='replace')[-2000:]}"
            for job in jobs
            if job.id not in self._hit and job.state != "success"
        ]

    def _watch(
        self,
        working: Runner,
        jobs: list[Job],
        due: list[tuple[Job, float, str]],
        lost: set[int],
    ) -> None:
        """Return when all jobs are over or gitlab-runner is dead."""
        until = time.monotonic() + _JOB_SECONDS * len(jobs)
        while any(not _is_over(job, lost) for job in jobs):
            if time.monotonic() > until:
                raise TimeoutError(f"jobs do not end: {jobs}")
            time.sleep(0.02)
            if not due or due[0][0].state == "pending":
                continue
            job, after, kill = due[0]
            if job.state == "running" and time.monotonic() < job.handed_out_at + after:
                continue
            running = _running(jobs)
            if not self._kill(working, kill):
                continue
            self.account.kills.append(kill)
            over = sum(each.state in FINAL_STATES for each in jobs)
            print(
                f"{time.strftime('%X')} {over} of {len(jobs)} jobs are over: SIGKILL to {kill}",
                flush=True,
            )
            del due[0]
            self._hit.update(job.id for job in running)
            if kill != STAGE:
                # Whom it asked for another job last does not hear of it any more.
                self._pushed.gitlab.renew_runner_token()
                lost.update(job.id for job in _running(jobs))
                self._hit |= lost
                known = self.account.ghosts
                new = [job for job in jobs if job.id in lost and job not in known]
                known += new
                written = self._written()
                self.account.unsigned += sum(
                    not (each / notes.OWNER).exists()
                    for each in self._temp.glob("custom-executor*")
                )
                self.account.untold += [job for job in new if job.id not in written]
                return

    def _kill(self, working: Runner, kill: str) -> bool:
        """Kill, if there is what is to be killed; cleanup has no second call but the sweep's."""
        pid = working.process.pid
        stages = [
            each for each in _children(pid) if kill != STAGE or b"cleanup" not in _command(each)
        ]
        if not stages and kill == STAGE:
            return False
        if kill != STAGE:
            os.kill(pid, signal.SIGKILL)
            working.process.wait()
        for stage in stages if kill == STAGE else []:
            with suppress(ProcessLookupError):
                os.killpg(stage, signal.SIGKILL)
        while kill == RUNNER_AND_STAGES and (left := self._stages()):
            # gitlab-runner may have begun one after it was last looked at.
            for stage in left:
                with suppress(ProcessLookupError):
                    os.kill(stage, signal.SIGKILL)
        return True

    def _stages(self) -> list[int]:
        """Return the processes of stages that live."""
        found = find_stages(map(str, self._temp.glob("custom-executor*")))
        return [pid for pids in found.values() for pid in pids]

    def _written(self) -> set[int]:
        """Return the jobs whose payloads are there as a whole."""
        found = set()
        for path in self._temp.glob("custom-executor*/response.json"):
            with suppress(OSError, ValueError):
                found.add(int(json.loads(path.read_bytes())["id"]))
        return found

    def _rest(self, seconds: float, *, until_as_before: bool = False) -> dict[str, int]:
        """Return what there is once nothing changes for a while, or is no more than before."""
        until = time.monotonic() + seconds
        seen, since = self._census(), time.monotonic()
        while time.monotonic() < until:
            if until_as_before and not _grown(self.account.before, seen):
                break
            if not until_as_before and time.monotonic() > since + _SETTLED_SECONDS:
                break
            time.sleep(1)
            found = self._census()
            seen, since = found, since if found == seen else time.monotonic()
        return seen

    def _census(self) -> dict[str, int]:
        lasting = {"label": "dind-executor.type=cache"}
        api = self._there.client.api
        volumes = {each["Name"] for each in api.volumes()["Volumes"] or []}
        volumes -= {each["Name"] for each in api.volumes(filters=lasting)["Volumes"] or []}
        told = (line.split() for line in self._engine.inside(_CENSUS).splitlines())
        return {
            "containers": len(api.containers(all=True)),
            "networks": len(api.networks()),
            "volumes": len(volumes),
            "temporary": sum(1 for _ in self._temp.rglob("*")),
            **{name: int(count) for name, count in told},
        }


def _is_over(job: Job, lost: set[int]) -> bool:
    return job.state in FINAL_STATES or job.id in lost


def _running(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.state == "running"]


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started itself."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(path.parent.name))
    return found


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def soak(
    rig: Rig,
    directory: Path,
    *,
    jobs: int,
    kills: Sequence[str],
    concurrent: int = 2,
    rest_seconds: float = 300.0,
    latest_seconds: float = LATEST_SECONDS,
    seed: int,
) -> Account:
    """Run jobs with some kills among them on an engine of their own."""
    witness = Witness(rig.engine_host)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="e") as short,
            own_engine(rig, witness, Path(short) / "e") as engine,
        ):
            run = Soak(rig, engine, directory, random.Random(seed))
            run.run(jobs, kills, concurrent, rest_seconds, latest_seconds)
            return run.account
    finally:
        witness.close()


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where something has grown or a job that was not hit has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--concurrent", type=int, default=2, help="jobs at a time")
    parser.add_argument("--rest", type=float, default=300.0, help="seconds, at most")
    parser.add_argument(
        "--latest",
        type=float,
        default=LATEST_SECONDS,
        help="seconds after a job began in which it may be hit; config has run after some 0.35",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args(args)
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        account = soak(
            state.load(),
            Path(directory),
            jobs=given.jobs,
            kills=[KILLS[number % len(KILLS)] for number in range(given.kills)],
            concurrent=given.concurrent,
            rest_seconds=given.rest,
            latest_seconds=given.latest,
            seed=given.seed,
        )
    print(
        *account.told(),
        *account.wrong,
        *account.running(),
        *account.grown(),
        *account.files,
        sep="\n",
    )
    return 1 if account.wrong or account.running() or account.grown() else 0


if __name__ == "__main__":
    sys.exit(main())
