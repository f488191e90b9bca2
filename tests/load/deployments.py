"""Sweeps of gitlab-runners that are deployed in every way, side by side on one engine.

`python -m tests.load.deployments --jobs 100` has a job live in each of them all the while, kills one
more of each kind in a job, and runs so many short jobs; the prepare of each one sweeps.  Nothing of a job
that lives may be touched, every job must succeed, and what is proved dead must be gone; what
nobody here can prove must be there still.
"""

import argparse
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from executor.sweep.state import states
from tests.gitlab import sources, trace
from tests.gitlab.deployments import ECHOES, EVERY, Deployed, start
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

DEAD = ("private", "container", "namespaces", "elsewhere")
PROVED = ("private", "container")
"""Whose death another gitlab-runner can see."""
_MORE_JOBS = 5
"""A sweep ends with its prepare, and the next one takes up what it has left."""


@dataclass
class Account:
    """What jobs and sweeps came to."""

    to_run: int
    sweeps: dict[str, int] = field(default_factory=dict)
    """How many have come to their end in each deployment."""
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take one more job; False where all are taken."""
        with self.lock:
            self.to_run -= 1
            return self.to_run >= 0


def work(each: Deployed, account: Account) -> None:
    """Run jobs one after the other, until all are run and one's prepare has swept."""
    more, at = _MORE_JOBS, None
    while account.take() or (at is None and more):
        more -= 1
        job = each.start(ECHOES).wait()
        told = states(str(each.state_dir))
        with account.lock:
            if job.state != "success":
                account.faults.append(f"a job of {each.name}: {trace.plain(job.trace)[-2000:]}")
            if told and told[0]["at"] != at:
                at = told[0]["at"]
                account.sweeps[each.name] = account.sweeps.get(each.name, 0) + 1
            if told and told[0]["error"]:
                account.faults.append(f"a sweep of {each.name}: {told[0]['error']}")


def run(rig: Rig, directory: Path, jobs: int) -> Account:
    """Return what so many jobs came to."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    account = Account(jobs)
    with ExitStack() as stack:
        runners = start(stack, (*EVERY, *DEAD), rig, checkout, directory)
        pool = stack.enter_context(ThreadPoolExecutor(len(runners)))
        begun = list(zip(runners, pool.map(Deployed.begin, runners), strict=True))
        before = [each.objects(job) for each, job in begun]
        living = runners[: len(EVERY)]
        for each in runners[len(EVERY) :]:
            each.kill()
        list(pool.map(lambda each: work(each, account), living))
        proved = [(each, job) for each, job in begun[len(EVERY) :] if each.kind in PROVED]
        for _ in range(_MORE_JOBS):
            if not any(each.objects(job) for each, job in proved):
                break
            work(living[0], Account(1))
        for (each, job), objects in zip(begun, before, strict=True):
            expected = [] if (each, job) in proved else objects
            found = each.objects(job)
            if found != expected:
                account.faults.append(f"{each.name}: {found} instead of {expected}")
        for each, job in begun[: len(EVERY)]:
            each.let_go(job)
            if job.wait().state != "success":
                account.faults.append(f"the job that lived in {each.name}: {job}")
    return account


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where a sweep has harmed what lives, or left what is proved dead."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.deployments")
    parser.add_argument("--jobs", type=int, default=100, help="short jobs (default: %(default)s)")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as directory:
        account = run(state.load(), Path(directory), given.jobs)
    print(f"{given.jobs} jobs; sweeps that came to their end: {account.sweeps}")
    print(f"{len(account.faults)} faults", *account.faults, sep="\n")
    return 1 if account.faults else 0


if __name__ == "__main__":
    sys.exit(main())
