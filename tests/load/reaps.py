"""SIGKILL of a gitlab-runner in the middle of a job, and one `dind-executor reap --yes` afterwards.

`python -m tests.load.reaps --times 12` kills at random moments, 0.5 to 5 seconds into a job with a
Docker daemon of its own: gitlab-runner with all its stages, and every third time gitlab-runner alone,
whose stage then goes on.  Another gitlab-runner on the same engine works all the while.  After one
call nothing of the dead job may be left, neither on the engine nor of its temporary directories, and
the job must have ended in GitLab.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from executor.local.project.checkout import Checkout
from executor.runner import notes
from tests.gitlab import deaths, leftovers, runner, server, sources
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.reaping import FOR_EVER, UNTIL_LET_GO, let_go, reap, settings, started
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

EARLIEST, LATEST = 0.5, 5.0
"""When a job is killed, in seconds after gitlab-runner took it."""

_JOB_SECONDS = 180
_ALONE = 3


def killed(
    rig: Rig, checkout: Checkout, directory: Path, seconds: float, *, alone: bool
) -> tuple[int, list[str]]:
    """Kill a gitlab-runner in a job and call `reap` once.

    Returns how many objects there were, and what is wrong afterwards.
    """
    path = settings(rig, directory)
    with server.serving(directory / "repositories", rig.address) as gitlab:
        with runner.working(gitlab, runner.custom(path), directory / "runner") as dying:
            job = started(Pushed(gitlab, checkout), FOR_EVER)
            _until_taken(job)
            time.sleep(seconds)
            deaths.kill(dying, stages=not alone)
        before = leftovers.of_jobs(rig.engine_host, [job])
        code, _, total = reap(path, "--yes", "--job", leftovers.key_of(job))
        wrong = [f"left: {each}" for each in leftovers.of_jobs(rig.engine_host, [job])]
        directories = _directories_of(job)
        # Who is killed before config has ended has nothing yet that says whose it is.
        nameless = [each for each in directories if not (each / notes.OWNER).exists()]
        wrong += [f"left: {each}" for each in directories if each not in nameless]
        wrong += [f"lives: {each}" for each in deaths.of_session(dying.process.pid)]
        if code:
            wrong.append(f"exit code {code}: {total}")
        if not nameless and job.failure_reason != "runner_system_failure":
            wrong.append(f"in GitLab: {job}")
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    return len(before), wrong


def _until_taken(job: Job) -> None:
    until = time.monotonic() + _JOB_SECONDS
    while job.state == "pending":
        assert time.monotonic() < until, "no gitlab-runner takes the job"
        time.sleep(0.01)


def _directories_of(job: Job) -> list[Path]:
    found = []
    for each in Path(tempfile.gettempdir()).glob("custom-executor*"):
        with contextlib.suppress(OSError):
            if job.token in (each / "response.json").read_text(encoding="utf-8"):
                found.append(each)
    return found


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where anything of a dead job was left, or a living one was touched."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.reaps")
    parser.add_argument("--times", type=int, default=12, help="kills (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args(args)
    print(f"seed {given.seed}", flush=True)
    rig, chance = state.load(), random.Random(given.seed)
    failures = objects = 0
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        checkout = sources.commit(PROJECT_FILES, directory / "tree")
        with (
            server.serving(directory / "repositories", rig.address) as gitlab,
            runner.working(gitlab, runner.custom(rig.settings), directory / "runner"),
        ):
            living = started(Pushed(gitlab, checkout), UNTIL_LET_GO)
            living.wait_for("\nit goes on")
            for number in range(given.times):
                seconds, alone = chance.uniform(EARLIEST, LATEST), number % _ALONE == _ALONE - 1
                own = directory / str(number)
                own.mkdir()
                count, wrong = killed(rig, checkout, own, seconds, alone=alone)
                whom = "gitlab-runner alone" if alone else "all"
                print(
                    f"killed {whom} after {seconds:.1f} s: {count} objects; {wrong or 'all gone'}"
                )
                objects, failures = objects + count, failures + bool(wrong)
            let_go(rig, living)
            lives = living.wait(_JOB_SECONDS).state == "success"
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    print(
        f"{given.times} kills, {objects} objects, {failures} with faults; the neighbour: {living}"
    )
    return 0 if lives and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
