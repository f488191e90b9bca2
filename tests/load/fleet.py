"""Three gitlab-runners with one token and one queue: one is drained under load, and one is killed.

`python -m tests.load.fleet` has them work on more jobs than they have room for. `dind-executor fleet
drain --wait` lets one of them end at a random moment: none of its jobs may fail, it may take no other,
and the others take the rest. Then another is killed with its stages (SIGKILL), as a host that loses its
power: `fleet reconcile` must name its jobs and no other, and end them, the third must take their
successors, and after `reap` the engine may hold nothing of them. What stands in for systemd here is a
`systemctl` that does to the process what systemd would; `python -m tests.load.drains` has the real one.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import deaths, leftovers, reaping, runner, server, sources
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.rig import state
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig

HOSTS = 3
_SECONDS = 600
WAITS = """
job:
  image: alpine
  script: [echo it goes on, 'until test -e /tmp/go; do sleep 0.2; done']
"""
ENDS = "job: {image: alpine, script: [echo it goes on, sleep 2]}"

_SYSTEMCTL = """\
#!/bin/sh
state=$(sed 's/.*) //' /proc/{pid}/stat 2>/dev/null | cut -c 1)
case "$state" in ''|Z|X) now=inactive ;; *) now=active ;; esac
if [ $now = active ] && [ -e {directory}/stopped ]; then now=deactivating; fi
case "$1" in
    show) printf 'LoadState=loaded\\nActiveState=%s\\n' "$now" ;;
    stop) touch {directory}/stopped; kill -QUIT {pid} ;;
esac
"""
_DRAIN = """
import sys
from pathlib import Path
from executor.commands.fleet.draining import drain
from executor.commands.fleet.options import read_options
sys.exit(drain(read_options(sys.argv[2:], {}), None, Path(sys.argv[1])))
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the fleet: its gitlab-runner, and what it calls itself."""

    runner: Runner
    directory: Path

    @property
    def system_id(self) -> str:
        """What GitLab tells it from the others by."""
        return (self.directory / "runner" / ".runner_system_id").read_text().strip()

    @contextlib.contextmanager
    def draining(self) -> Iterator["subprocess.Popen[str]"]:
        """Drain it; yield the command that waits for the end."""
        programs, root = self.directory / "bin", self.directory / "root"
        for each in (programs, root):
            each.mkdir()
        (root / "proc").symlink_to("/proc")
        program = programs / "systemctl"
        text = _SYSTEMCTL.format(pid=self.runner.process.pid, directory=self.directory)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        log = self.directory / "changes"
        args = ["drain", "--yes", "--wait", "--timeout", str(_SECONDS), "--audit-log", str(log)]
        with subprocess.Popen(
            [sys.executable, "-c", _DRAIN, str(root), *args],
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield process


@dataclass(frozen=True, slots=True)
class Fleet:
    """All hosts, and their GitLab."""

    rig: Rig
    gitlab: GitLab
    checkout: Checkout
    hosts: Sequence[Host]
    settings: Path
    slots: int

    def start(self, count: int, text: str) -> list[Job]:
        """Put jobs into the queue."""
        pushed = Pushed(self.gitlab, self.checkout)
        return [pushed.start_only(parse_pipeline(text, "test")) for _ in range(count)]

    def begun(self, jobs: Sequence[Job]) -> None:
        """Wait until jobs go on."""
        for each in jobs:
            each.wait_for("\nit goes on", _SECONDS)

    def end(self, jobs: Sequence[Job]) -> None:
        """Let jobs that wait end, and see that they end well."""
        for each in jobs:
            each.wait_for("\nit goes on", _SECONDS)
            reaping.let_go(self.rig, each)
        for each in jobs:
            assert each.wait(_SECONDS).state == "success", each

    def of(self, host: Host, jobs: Sequence[Job]) -> list[Job]:
        """Return those of some jobs that a host has, or had."""
        return [each for each in jobs if each.runner_manager == host.system_id]


@contextlib.contextmanager
def working(rig: Rig, directory: Path, *, slots: int, has_dind: bool) -> Iterator[Fleet]:
    """Have the fleet work until the end of the block."""
    checkout = sources.commit(PROJECT_FILES, directory / "tree")
    # Jobs that ask for no dind get none, and are quick.
    changes = {} if has_dind else {'mode = "always"': 'mode = "service"'}
    settings = reaping.settings(rig, directory, **changes)
    with contextlib.ExitStack() as stack:
        repositories = directory / "repositories"
        gitlab = stack.enter_context(server.serving(repositories, rig.address))
        stack.callback(lambda: leftovers.remove_lasting(rig.engine_host, gitlab.runner_token))
        hosts = []
        for number in range(HOSTS):
            place = directory / f"host{number}"
            (place / "tmp").mkdir(parents=True)
            # It would be made of the id of this machine, which they share.
            (place / "runner").mkdir()
            (place / "runner" / ".runner_system_id").write_text(f"s_{secrets.token_hex(6)}")
            started = runner.working(
                gitlab, runner.custom(settings), place / "runner",
                concurrent=slots, environment={"TMPDIR": str(place / "tmp")},
            )  # fmt: skip
            hosts.append(Host(stack.enter_context(started), place))
        yield Fleet(rig, gitlab, checkout, hosts, settings, slots)


def drain_one_that_is_full(fleet: Fleet) -> str:
    """Drain a host all of whose slots are taken, while more jobs wait than the others have room for."""
    host = fleet.hosts[0]
    first = fleet.start(HOSTS * fleet.slots, WAITS)
    fleet.begun(first)
    its = fleet.of(host, first)
    assert len(its) == fleet.slots
    rest = fleet.start(2 * fleet.slots, WAITS)
    with host.draining() as process:
        assert process.stdout is not None
        begun, left = (json.loads(process.stdout.readline()) for _ in range(2))
        assert (begun["state"], left["state"]) == ("draining", "left")
        # The processes of this machine are those of all hosts.
        named = {int(each.split()[1]) for each in left["jobs"]}
        assert named >= {each.id for each in its}, left
        assert process.poll() is None
        fleet.end(its)
        last = [json.loads(each)["state"] for each in process.stdout][-1]
        assert (process.wait(), last) == (0, "drained")
    assert host.runner.process.wait(_SECONDS) == 0
    fleet.end([each for each in first if each not in its])
    fleet.end(rest)
    assert fleet.of(host, rest) == []
    everything = leftovers.of_jobs(fleet.rig.engine_host, [*first, *rest])
    assert everything == [], everything
    return f"{len(its)} jobs of the drained host ended well, the others took {len(rest)} more"


def drain_one_under_load(fleet: Fleet, jobs: int, chance: random.Random) -> str:
    """Drain a host at a random moment while short jobs come: it may be asking for one right then."""
    host = fleet.hosts[0]
    queued = fleet.start(jobs, ENDS)
    queued[chance.randrange(1, len(queued) // 3)].wait_for("\nit goes on", _SECONDS)
    time.sleep(chance.random() * 3)
    with host.draining() as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["state"] == "draining"
        told = time.monotonic()
        out = process.stdout.read()
        assert process.wait() == 0, out
    assert host.runner.process.wait(_SECONDS) == 0
    for each in queued:
        assert each.wait(_SECONDS).state == "success", each
    its = fleet.of(host, queued)
    # What GitLab had given to it when it was told, it does.
    late = [each for each in its if each.handed_out_at > told + 5]
    assert late == [], late
    left = leftovers.of_jobs(fleet.rig.engine_host, queued)
    assert left == [], left
    return f"{len(its)} of {jobs} jobs were the drained host's, and all ended well"


def kill_one(fleet: Fleet) -> str:
    """Kill a host with its jobs; find and end them in GitLab, and remove what they left."""
    living = [each for each in fleet.hosts if each.runner.process.poll() is None]
    jobs = fleet.start(len(living) * fleet.slots, WAITS)
    fleet.begun(jobs)
    host = living[-1]
    ghosts = fleet.of(host, jobs)
    others = [each for each in jobs if each not in ghosts]
    assert len(ghosts) == fleet.slots
    deaths.kill(host.runner)
    _later(fleet, living[:-1])
    expected = {each.id: "would-end" for each in ghosts}
    assert reconcile(fleet) == (1, expected)
    log = host.directory / "changes"
    yes = ("--yes", "--retry", "--second-look", "1", "--audit-log", str(log))
    assert reconcile(fleet, *yes) == (0, dict.fromkeys(expected, "retried"))
    assert [each.state for each in ghosts] == ["canceled"] * len(ghosts)
    _check_log(log, len(ghosts))
    fleet.end(others)
    again = [each.wait_for_again() for each in ghosts]
    fleet.end(again)
    assert fleet.of(host, again) == []
    for each in ghosts:
        code, rows, _ = reaping.reap(fleet.settings, "--yes", "--job", leftovers.key_of(each))
        assert code == 0, rows
    left = leftovers.of_jobs(fleet.rig.engine_host, [*jobs, *again])
    assert left == [], left
    assert reconcile(fleet) == (0, {})
    return f"{len(ghosts)} jobs of the killed host were ended, and ran elsewhere; nothing is left"


def _later(fleet: Fleet, living: Sequence[Host]) -> None:
    """Have GitLab's clock be 20 minutes later, and return when the living have called since."""
    registry = fleet.gitlab.registry
    registry.clock_offset += 20 * 60
    since = registry.now()
    (row,) = registry.rows.values()
    deadline = time.monotonic() + _SECONDS
    for each in living:
        while dt.datetime.fromisoformat(row.managers[each.system_id].contacted_at) < since:
            assert time.monotonic() < deadline, f"{each.system_id} does not call"
            time.sleep(0.1)


def _check_log(log: Path, ghosts: int) -> None:
    """See that each change is noted before and after."""
    lines = [json.loads(each) for each in log.read_text().splitlines()]
    noted = Counter((each["action"], each["state"]) for each in lines)
    steps = ("cancel", "force-cancel", "retry")
    assert noted == {(step, how): ghosts for step in steps for how in ("begun", "done")}, noted


def reconcile(fleet: Fleet, *args: str) -> tuple[int, dict[int, str]]:
    """Call the command; return its exit code, and what became of the jobs that it names."""
    token = fleet.gitlab.registry.add_user({"api"} if args else {"read_api"})
    command = [sys.executable, "-m", "executor", "fleet", "reconcile", "--url", fleet.gitlab.url]
    done = subprocess.run(
        [*command, *args], env={**os.environ, "GITLAB_TOKEN": token}, stdout=subprocess.PIPE,
        text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    lines = [json.loads(each) for each in done.stdout.splitlines()]
    assert {each["kind"] for each in lines} <= {"ghost"}, done.stdout
    return done.returncode, {each["job"]: each["state"] for each in lines}


def main() -> int:
    """Try it as often as the arguments say; an AssertionError is what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slots", type=int, default=3, help="jobs at once of each (default: 3)")
    parser.add_argument("--jobs", type=int, default=24, help="short jobs of a round (default: 24)")
    parser.add_argument("--no-dind", action="store_true", help="jobs without a sidecar")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chance = random.Random(given.seed)
    for number in range(given.rounds):
        for is_full in (True, False):
            with (
                tempfile.TemporaryDirectory() as directory,
                working(
                    state.load(), Path(directory), slots=given.slots, has_dind=not given.no_dind
                ) as fleet,
            ):
                told = (
                    drain_one_that_is_full(fleet)
                    if is_full
                    else drain_one_under_load(fleet, given.jobs, chance)
                )
                print(f"{number + 1}: {told}", flush=True)
                print(f"{number + 1}: {kill_one(fleet)}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
