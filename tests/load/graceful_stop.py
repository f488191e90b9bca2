"""SIGQUIT to gitlab-runner and all processes below it, as systemd's control-group kill sends it.

`python -m tests.load.graceful_stop --times 200` does it at random moments of short jobs, half of
them in a stage's first 50 ms.  One gitlab-runner has several jobs and gets several signals: after
the first it takes no more jobs, sees its own through, and ends.

`--stages` does it once in each of a job's stages, each in a gitlab-runner of its own, first to all
processes and then to gitlab-runner alone, as systemd does with `KillMode=mixed`.

Each job must end as it would have.  Left are the some 2 ms between gitlab-runner's fork and the
hook's first line: what is hit there dies, and is named with its age.
"""

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from tests.gitlab import leftovers, runner, server, sources, trace
from tests.gitlab.jobs import FINAL_STATES, Job
from tests.gitlab.pipelines import Pushed
from tests.hooks import HOOKS
from tests.load import family
from tests.load.account import NO_HOOK_YET, YOUNG_MS, Account, Moment
from tests.load.family import Family, Process
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

# This share of the signals waits for a stage to begin; the others come at any time.
AIMED = 0.5
_APART_SECONDS = 3.0
_SIGNALS = 4
_JOB_SECONDS = 180
# A process that dies of a signal does so at once, busy machines included.
_DEATH_NS = 1_000_000_000

PIPELINE = """
succeeds:
  image: alpine
  script: [echo one, sleep 0.5, echo two]
  after_script: ['echo "status $CI_JOB_STATUS"']
fails:
  image: alpine
  script: [echo one, exit 9]
  after_script: ['echo "status $CI_JOB_STATUS"']
builds:
  image: docker:20.10.16
  script: [docker version --format two]
  after_script: ['echo "status $CI_JOB_STATUS"']
"""
STAGES = ("prepare", "get_sources", "build_script", "after_script", "cleanup")
# Each stage takes long enough to be met in.
SLOW = """
slow:
  image: alpine
  script: [echo one, sleep 2, echo two]
  after_script: ['echo "status $CI_JOB_STATUS"', sleep 2]
"""
# State, exit code, and lines of the job log.
_ENDS = {
    "succeeds": ("success", 0, ("one", "two", "status success")),
    "fails": ("failed", 9, ("one", "status failed")),
    "builds": ("success", 0, ("two", "status success")),
    "slow": ("success", 0, ("one", "two", "status success")),
}


def moments(
    rig: Rig, directory: Path, chance: random.Random, *, signals: int, hooks: Path = HOOKS
) -> Account:
    """Have one gitlab-runner do each of the short jobs, and signal it a number of times."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    table = runner.custom(rig.settings, hooks)
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        family.watching() as kin,
        runner.working(gitlab, table, directory / "runner", concurrent=len(_ENDS)) as started,
    ):
        kin.follow(started.process.pid)
        _hurry(started.process.pid)
        jobs = _start(Pushed(gitlab, checkout), chance)
        # Only what the runner has taken is seen through.
        _listen_until(kin, lambda: all(job.state != "pending" for _, job in jobs))
        reached = []
        for _ in range(signals):
            if not _wait_for_a_moment(kin, chance, jobs):
                break
            reached.append(kin.send(signal.SIGQUIT))
        if not reached:
            started.process.send_signal(signal.SIGQUIT)
        _listen_until(kin, lambda: started.process.poll() is not None)
        kin.listen(0.1)
        left = leftovers.of_jobs(rig.engine_host, [job for _, job in jobs])
        # Whose cleanup was hit is still there, and uses what lasts.
        leftovers.remove_of_jobs(rig.engine_host, [job for _, job in jobs])
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    found = [_moment_of(kin, who) for who in reached]
    account = Account([moment for moment in found if moment.ages], len(jobs))
    account.starts_ms = [
        (process.became_ns[1] - process.born_ns) / 1e6
        for process in kin.stages()
        if len(process.became_ns) > 1
    ]
    for name, job in jobs:
        _judge(account, name, job, started.log())
    if left and not account.dead():
        account.wrong.append(f"left on the engine: {', '.join(left)}")
    return account


def _hurry(pid: int) -> None:
    """Let a process, and what it starts, wait for no other: an age is then what a hook itself took.

    Of a process that exists, a priority is each thread's own; a new thread has its maker's.  Where
    the kernel groups by session, the group has a priority too.
    """
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(thread.name), -20)
    with contextlib.suppress(FileNotFoundError):
        Path(f"/proc/{pid}/autogroup").write_text("-20", encoding="ascii")


def in_stages(
    rig: Rig, directory: Path, stages: Sequence[str], *, alone: bool, hooks: Path = HOOKS
) -> tuple[Account, list[str]]:
    """Have one gitlab-runner do a job, and signal it once in each of these stages.

    Returns what came of it, and the stages that went on when the signal had been sent.  With
    `alone`, gitlab-runner gets the signal and no other process.
    """
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    table = {**runner.custom(rig.settings, hooks), "pre_get_sources_script": "sleep 2"}
    reached: list[list[tuple[Process, int]]] = []
    met: list[str] = []
    with (
        server.serving(directory / "repositories", rig.address) as gitlab,
        family.watching() as kin,
        runner.working(gitlab, table, directory / "runner") as started,
    ):
        kin.follow(started.process.pid)
        _hurry(started.process.pid)
        job = Pushed(gitlab, checkout).start_only(parse_pipeline(SLOW, "test"))
        for wanted in stages:
            found = _wait_for_a_stage(kin, wanted)
            if found is None:
                break
            reached.append(kin.send(signal.SIGQUIT, alone=alone))
            sent_ns = time.monotonic_ns()
            kin.listen(0.05)
            met += [wanted] if found.is_alive or found.ended_ns > sent_ns else []
        if not reached:
            started.process.send_signal(signal.SIGQUIT)
        _listen_until(kin, lambda: started.process.poll() is not None)
        kin.listen(0.1)
        left = leftovers.of_jobs(rig.engine_host, [job])
        leftovers.remove_of_jobs(rig.engine_host, [job])
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    account = Account([_moment_of(kin, who) for who in reached], 1)
    _judge(account, "slow", job, started.log())
    if left and not account.dead():
        account.wrong.append(f"left on the engine: {', '.join(left)}")
    return account, met


def _wait_for_a_stage(kin: Family, wanted: str) -> Process | None:
    """Return the process of a stage once it is Python; None where gitlab-runner ended before."""
    until = time.monotonic() + _JOB_SECONDS
    while time.monotonic() < until:
        for process in kin.children():
            if process.stage == wanted:
                return process
        kin.listen(0.02)
        if not kin.living():
            return None
    raise TimeoutError(f"gitlab-runner did not come to {wanted} in {_JOB_SECONDS} s")


def _start(pushed: Pushed, chance: random.Random) -> list[tuple[str, Job]]:
    pipeline = parse_pipeline(PIPELINE, "test")
    facts = pushed.facts(pipeline)
    definitions = list(pushed.jobs_of(pipeline, facts).values())
    chance.shuffle(definitions)
    return [(one.name, pushed.start(one, facts)) for one in definitions]


def _listen_until(kin: Family, is_reached: Callable[[], bool]) -> None:
    """Take the kernel's events until something is so; raises TimeoutError."""
    until = time.monotonic() + _JOB_SECONDS
    while not is_reached():
        kin.listen(0.05)
        if time.monotonic() > until:
            raise TimeoutError(f"gitlab-runner did not end its jobs in {_JOB_SECONDS} s")


def _wait_for_a_moment(kin: Family, chance: random.Random, jobs: list[tuple[str, Job]]) -> bool:
    """Return at a moment to signal at, one in two in a stage's first 50 ms; False: all is over."""
    births = chance.randrange(1, 9) if chance.random() < AIMED else 0
    rest = time.monotonic() + chance.uniform(0, _APART_SECONDS)
    while not births and time.monotonic() < rest:
        kin.listen(rest - time.monotonic())
    age_ns = int(chance.uniform(0, YOUNG_MS) * 1e6)
    while births or not kin.children():
        born = kin.listen(0.5)
        if all(job.state in FINAL_STATES for _, job in jobs) and not kin.children():
            return False
        births = births - 1 if born is not None and births else births
        if born is not None and not births:
            time.sleep(max(0, (born.born_ns + age_ns - time.monotonic_ns()) / 1e9 - 0.001))
            while time.monotonic_ns() < born.born_ns + age_ns:
                pass  # a sleep takes longer than it is asked to
    return True


def _moment_of(kin: Family, reached: list[tuple[Process, int]]) -> Moment:
    """Return what one signal came to, now that all is over."""
    stages = {process.pid for process in kin.stages()}
    moment = Moment([], 0)
    for process, at in reached:
        age_ms = (min(at, process.ended_ns or at) - process.born_ns) / 1e6
        if process.pid in stages:
            moment.ages.append(age_ms)
        elif process.parent:
            moment.others += 1
        if process.ended_by == signal.SIGQUIT and process.ended_ns - at < _DEATH_NS:
            name = process.command or ("a hook" if process.became_ns else NO_HOOK_YET)
            moment.dead.append((name, age_ms))
            if process.pid not in stages or len(process.became_ns) > 1:
                moment.begun.append(name)
    return moment


def _judge(account: Account, name: str, job: Job, log: str) -> None:
    """Add what is to be said of a job's end."""
    state, exit_code, wanted = _ENDS[name]
    lines = trace.lines(job.trace)
    is_as_ever = (job.state, job.exit_code) == (state, exit_code) and set(wanted) <= set(lines)
    # What becomes of cleanup is in gitlab-runner's own log.
    of_job = [line for line in log.splitlines() if f"job={job.id} " in line]
    if any("signal: quit" in line for line in (*lines, *of_job)):
        account.hit.append(f"{name}: {job.state} {job.failure_reason}".rstrip())
    elif not is_as_ever:
        said = "\n".join(lines[-30:])
        account.wrong.append(f"{name} ended {job.state} ({job.exit_code}):\n{said}")


def many(rig: Rig, times: int, chance: random.Random, hooks: Path = HOOKS) -> Account:
    """Signal until a number of signals has reached stages; tell how it goes on."""
    total = Account()
    while len(total.moments) < times:
        signals = min(_SIGNALS, times - len(total.moments))
        with tempfile.TemporaryDirectory() as directory:
            total.add(moments(rig, Path(directory), chance, signals=signals, hooks=hooks))
        print(f"{len(total.moments)} of {times}, {len(total.dead())} stages died", flush=True)
    return total


def each_stage(rig: Rig, hooks: Path = HOOKS) -> Account:
    """Signal once in each stage, to all processes and to gitlab-runner alone; tell how it goes on."""
    total = Account()
    for alone in (False, True):
        for stage in STAGES:
            with tempfile.TemporaryDirectory() as directory:
                account, met = in_stages(rig, Path(directory), [stage], alone=alone, hooks=hooks)
            total.add(account)
            whom = "gitlab-runner alone" if alone else "all processes"
            print(f"{stage}, {whom}: {'met' if met else 'missed'}", flush=True)
            if not met:
                total.wrong.append(f"{stage} was over before the signal: try again")
    return total


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where a job ended otherwise or a stage died that was too old for it."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.graceful_stop")
    parser.add_argument("--times", type=int, default=200, help="signals (default: %(default)s)")
    parser.add_argument("--stages", action="store_true", help="once in each stage instead")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--hooks", type=Path, default=HOOKS, help="of an installation, for example")
    given = parser.parse_args(args)
    print(f"seed {given.seed}", flush=True)
    _hurry(os.getpid())  # a signal is then sent when it was to be
    if given.stages:
        account = each_stage(state.load(), given.hooks)
    else:
        account = many(state.load(), given.times, random.Random(given.seed), given.hooks)
    print(*account.told(), *account.faults(), sep="\n")
    return 1 if account.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
