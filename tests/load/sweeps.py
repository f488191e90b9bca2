"""Sweeps beside prepares and cleanups on one engine: the dead go, and nothing of the living is touched.

`python -m tests.load.sweeps --times 100` runs so many jobs, several at a time, each from config to
cleanup, and as many sweeps beside them; each prepare sweeps too.  Meanwhile other gitlab-runners, which
are only called so, are killed while they prepare a job.  Each job that lives must have all that it had
until its cleanup, and in the end nothing may be left of any.
"""

import argparse
import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.sweep.options import Options
from executor.sweep.sweeping import sweep
from tests.rig import state
from tests.rig.state import Rig
from tests.stages import scripts
from tests.stages.calls import JobCalls, as_gitlab_runner
from tests.stages.conftest import settings_text
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness

AT_ONCE = 2
_VICTIMS_PER_JOB = 0.2
_REST_SECONDS = 120


@dataclass(slots=True)
class Tally:
    """What came of it."""

    jobs: int = 0
    sweeps: int = 0
    victims: int = 0
    swept: int = 0
    """How many dead jobs our own sweeps removed; the others are prepares'."""
    harmed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return it as a line."""
        return (
            f"{self.jobs} jobs and {self.sweeps} sweeps beside each other; {self.victims} killed,"
            f" {self.swept} of them removed by these sweeps, the others by the jobs' own;"
            f" {len(self.harmed)} of the living harmed, {len(self.left)} objects left"
        )


class Yard:
    """One engine with jobs that live and jobs that die."""

    def __init__(self, rig: Rig, directory: Path, chance: random.Random) -> None:
        self.tally = Tally()
        self._directory = directory
        self._chance = chance
        self._rig = rig
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._dead: list[int] = []
        (directory / "state").mkdir()
        self._settings = directory / "settings.toml"
        changes = {
            "log": {"path": f"{directory}/operator.log"},
            "dind": {"mode": "service"},
            "sweep": {"state_dir": f"{directory}/state"},
        }
        self._settings.write_text(settings_text(rig, changes), encoding="utf-8")

    def work(self, times: int) -> Tally:
        """Do all of it; raises what a thread raised."""
        begun, over = itertools.count(), threading.Event()

        def live() -> None:
            while next(begun) < times:
                self._live()

        def until_over(what: Callable[[], None]) -> Callable[[], None]:
            def again() -> None:
                while not over.is_set():
                    what()

            return again

        def look() -> None:
            if self.tally.sweeps < times:
                self._sweep()
            else:
                over.wait(0.2)

        with _threads([until_over(look), until_over(self._die)]) as beside:
            with _threads([live] * AT_ONCE) as lives:
                pass
            over.set()
        for error in (*lives, *beside):
            raise error
        while self.tally.sweeps < times:
            self._sweep()
        self._rest()
        return self.tally

    def _live(self) -> None:
        """Run one job, and note where anything of it was touched."""
        place = self._place()
        witness = Witness(self._rig.engine_host)
        with _log(place):
            self._work(JobCalls(JobRequest("alpine"), place, self._settings), witness)

    def _work(self, job: JobCalls, witness: Witness) -> None:
        try:
            calls = [job.config(), job.prepare()]
            had = witness.objects(job.id)
            calls.append(job.run("prepare_script", scripts.whole(["echo still here"])))
            has = witness.objects(job.id)
            calls.append(job.cleanup())
        finally:
            witness.close()
        with self._lock:
            self.tally.jobs += 1
            wrong = [f"{each.stage}: {each.output[-500:]}" for each in calls if each.code]
            if wrong or had != has or not had:
                self.tally.harmed.append(f"job {job.id}: {had} became {has}; {wrong}")

    def _die(self) -> None:
        """Kill a gitlab-runner at some moment of its job's prepare."""
        if self.tally.victims > _VICTIMS_PER_JOB * self.tally.jobs:
            time.sleep(0.1)
            return
        place = self._place()
        number = new_job_id()
        victim = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.load.sweeps",
                "--victim",
                str(number),
                str(place),
                str(self._settings),
            ],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert victim.stdout
        victim.stdout.readline()
        time.sleep(self._chance.uniform(0, 1.0))
        # The hook is in a group of its own, and goes on as an orphan: the sweeps end it too.
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
        with self._lock:
            self._dead.append(number)
            self.tally.victims += 1

    def _sweep(self) -> None:
        engine = Engine.at(self._rig.engine_host, "", tls_verify=False)
        engine.connect()
        options = Options(
            AdministratorLog("sweep"),
            # An engine of its own for the lock: these sweeps and the prepares' meet each other.
            f"{self._rig.engine_host}?beside",
            by="reap",
            state_dir=f"{self._directory}/state",
            end_ghosts=False,
            parents=tuple(map(str, self._directory.glob("job*"))),
            uids=frozenset((os.geteuid(),)),
        )
        outcome = sweep(engine, options)
        with self._lock:
            self.tally.sweeps += 1
            ours = {str(number) for number in self._dead}
            done = outcome.done if outcome else ()
            self.tally.swept += len(
                [each for each in done if each.job_id in ours and not each.left]
            )

    def _rest(self) -> None:
        """Sweep until nothing is left of the dead, or for long enough."""
        until = time.monotonic() + _REST_SECONDS
        witness = Witness(self._rig.engine_host)
        try:
            while True:
                left = [each for number in self._dead for each in witness.objects(number)]
                left += self._payloads()
                if not left or time.monotonic() > until:
                    self.tally.left = left
                    return
                self._sweep()
        finally:
            witness.close()

    def _payloads(self) -> list[str]:
        """Return the payloads that the dead have left."""
        dead = {f'"id": {number},' for number in self._dead}
        found = self._directory.glob("job*/custom-executor*/response.json")
        return [str(each) for each in found if any(id_ in each.read_text("utf-8") for id_ in dead)]

    def _place(self) -> Path:
        place = self._directory / f"job{next(self._numbers)}"
        place.mkdir()
        return place


@contextlib.contextmanager
def _threads(whats: Sequence[Callable[[], None]]) -> Iterator[list[BaseException]]:
    """Run functions until each has ended; yield what they raise."""
    errors: list[BaseException] = []

    def run(what: Callable[[], None]) -> None:
        try:
            what()
        except BaseException as error:  # noqa: BLE001 (raised by who waits)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in whats]
    for each in threads:
        each.start()
    try:
        yield errors
    finally:
        for each in threads:
            each.join()


@contextlib.contextmanager
def _log(place: Path) -> Iterator[None]:
    """Have a job's log open, as gitlab-runner has from before the job's directory until after it."""
    file = place / f"trace{new_job_id()}"
    with file.open("x"):
        yield
    file.unlink(missing_ok=True)


def _victim(number: int, place: Path, settings: Path) -> None:
    """Prepare a job as a gitlab-runner that is about to be killed."""
    with as_gitlab_runner(), _log(place):
        job = JobCalls(JobRequest("alpine", id=number), place, settings)
        job.config()
        print("config", flush=True)
        job.prepare()
        time.sleep(60)


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where anything of a living job was touched, or of a dead one left."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.sweeps")
    parser.add_argument("--times", type=int, default=100, help="jobs, and sweeps (default: 100)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--victim", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(args)
    if given.victim:
        number, place, settings = given.victim
        _victim(int(number), Path(place), Path(settings))
        return 0
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory, as_gitlab_runner():
        tally = Yard(state.load(), Path(directory), random.Random(given.seed)).work(given.times)
    print(tally.told(), *tally.harmed, *tally.left, sep="\n")
    return 1 if tally.harmed or tally.left else 0


if __name__ == "__main__":
    sys.exit(main())
