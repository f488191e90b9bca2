"""Kept layers that are killed, broken, and too many: whatever happens, the next job builds right.

`python -m tests.load.kept_layers` kills the sidecar (SIGKILL) at `--kills` random moments of builds; each
next job must build the same right.  Then it breaks a store in each way that `broken` knows, and the next job
must pass on an empty one.  Then `--projects` projects leave layers, and `prune` must keep within a budget of
`--stores` stores: the least recently used go, and one in use never does.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.generations import NEW
from tests.rig import state
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Jobs, settings_text
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_KILLED, _BROKEN, _MANY = 9_200, 9_201, 9_300
"""Projects."""
_DOCKERFILE = """\
FROM debian:bookworm
RUN seq 1 200000 | sha256sum >/first
RUN dd if=/dev/zero of=/zeros bs=1M count=20 2>/dev/null && sleep 0.5
COPY number /
RUN cat /first /number | sha256sum >/sum && sleep 0.5
RUN dd if=/dev/zero of=/more bs=1M count=20 2>/dev/null
"""
_LONGEST_SECONDS = 5.0
_REPOSITORY = Path(__file__).parents[2]


@dataclass(slots=True)
class Account:
    """What became of it."""

    jobs: int = 0
    empty: int = 0
    """How many began without layers, and said so."""
    wrong: list[str] = field(default_factory=list)

    def told(self, what: str) -> str:
        """Return it in a line."""
        return f"{what}: {self.jobs} jobs built right, {self.empty} of them on an empty store"


class Host:
    """The rig, and jobs that keep layers."""

    def __init__(self, rig: Rig, image: str, directory: Path) -> None:
        """Take the sidecar's image, and a directory for files."""
        self.there = Witness(rig.engine_host)
        self._rig = rig
        self._image = image
        self._jobs = Jobs(rig, self.there, directory)
        self._directory = directory

    def up(self, project: int) -> tuple[JobCalls, str]:
        """Return a job that is ready, and what prepare said."""
        services = [{"name": self._image}]
        request = JobRequest("docker:26.1-cli", services=services, project_id=project)
        changes: Changes = {
            "dind": {"keep_layers": True},
            "sweep": {"state_dir": str(self._directory)},
        }
        job = self._jobs.start(request, changes)
        return job, job.up().output

    def store(self, project: int) -> Path:
        """Return the directory with a project's layers, as this host sees it."""
        (name,) = self.there.lasting_volumes(project)
        place = Path(self.there.client.volumes.get(name).attrs["Mountpoint"])
        return next(each.with_suffix("") for each in place.glob("*.boot"))

    def kill_sidecar(self, job: JobCalls) -> None:
        """Kill the sidecar at once."""
        self.there.container(job.id, "dind").kill()

    def prune(self, budget: str = "", *arguments: str) -> list[dict[str, object]]:
        """Call prune with a budget for layers; return the lines of what is kept."""
        changes: Changes = {
            "dind": {"keep_layers_budget": budget},
            "sweep": {"state_dir": str(self._directory)},
            "log": {"destination": "none"},
            "disk": {"floor": "0", "floor_inodes": 0},
        }
        settings = self._directory / "prune.toml"
        settings.write_text(settings_text(self._rig, changes), encoding="utf-8")
        command = [sys.executable, "-m", "executor", "prune", f"--settings={settings}", "--json"]
        done = subprocess.run(
            [*command, *arguments], cwd=_REPOSITORY, capture_output=True, text=True, check=False
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, done.stderr
        return [each for each in lines if each.get("kind") == "layers"]

    def end(self) -> None:
        """Assert that nothing of any job is left."""
        self._jobs.end()
        self.there.close()


def commands(number: int) -> tuple[str, ...]:
    """Return what builds something that has the number in it."""
    return (
        f"cd $(mktemp -d) && echo {number} >number && printf '%s' '{_DOCKERFILE}' >Dockerfile",
        "docker build -t built . 2>&1",
        "docker run --rm built sh -c 'cat /sum; stat -c %s /zeros /more'",
    )


def expected(number: int) -> str:
    """Return what that prints last."""
    first = hashlib.sha256("".join(f"{each}\n" for each in range(1, 200_001)).encode()).hexdigest()
    whole = hashlib.sha256(f"{first}  -\n{number}\n".encode()).hexdigest()
    return f"{whole}  -\n20971520\n20971520\n"


def build(job: JobCalls, number: int, said: str, account: Account, what: str) -> None:
    """Build in a job, and note whether that is right."""
    call = job.script(*commands(number))
    if call.code or not call.stdout.endswith(expected(number)):
        account.wrong.append(f"{what}: the build is wrong ({call.code}): {call.output[-600:]}")
    account.jobs += 1
    account.empty += "layers that this slot has kept:" in said


def kills(host: Host, count: int) -> Account:
    """Kill the sidecar while it builds; the next job builds the same."""
    account = Account()
    for number in range(count + 1):
        job, said = host.up(_KILLED)
        if number:
            build(job, number - 1, said, account, f"kill {number}")
        if number < count:
            seconds = random.uniform(0.0, _LONGEST_SECONDS)
            killer = threading.Timer(seconds, lambda it=job: host.kill_sidecar(it))
            killer.start()
            job.script(*commands(number))
            killer.join()
        job.cleanup().passed()
    return account


def ways(place: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Yield what can be broken in a store, each with how."""
    patterns = ("buildkit/*.db", "buildkit/*/*.db", "containerd/daemon/*/meta*.db")
    for each in sorted(found for pattern in patterns for found in place.glob(pattern)):
        name = str(each.relative_to(place))
        yield f"{name}, cut to a half", partial(_cut, name=name, parts=2)
        yield f"{name}, empty", partial(_cut, name=name, parts=0)
    for name in ("buildkit", "image", "overlay2", "vfs", "containerd"):
        if (place / name).is_dir():
            yield f"a file in place of {name}", partial(_replace, name=name)


def _cut(place: Path, *, name: str, parts: int) -> None:
    path = place / name
    os.truncate(path, path.stat().st_size // parts if parts else 0)


def _replace(place: Path, *, name: str) -> None:
    (place / name).rename(place / f"away-{name}")
    (place / name).write_text("no directory")


def broken(host: Host) -> Account:
    """Break a store in each way; the next job has an empty one, and builds right."""
    account = Account()
    job, _ = host.up(_BROKEN)
    job.script(*commands(0)).passed()
    job.cleanup().passed()
    names = [name for name, _ in ways(host.store(_BROKEN))]
    for name in names:
        place = host.store(_BROKEN)
        dict(ways(place))[name](place)
        job, said = host.up(_BROKEN)
        before = account.empty
        build(job, 0, said, account, name)
        job.cleanup().passed()
        print(
            f"  {name}: {'dropped' if account.empty > before else 'of no consequence'}", flush=True
        )
        if not host.there.lasting_volumes(_BROKEN):  # it was removed: one more job fills it
            job, said = host.up(_BROKEN)
            build(job, 0, said, account, name)
            job.cleanup().passed()
    return account


def many(host: Host, count: int, stores: int) -> Account:
    """Have more projects leave layers than there is room for."""
    account = Account()
    standing, _ = host.up(_MANY)
    for number in range(count):
        job, said = (standing, "") if number == 0 else host.up(_MANY + number)
        build(job, 0, said, account, f"project {number}")
        if number:
            job.cleanup().passed()
    order = [each for number in range(count) for each in host.there.lasting_volumes(_MANY + number)]
    sizes = {str(each["name"]): int(str(each["bytes"])) for each in host.prune()}
    wanted = [order[0], *order[len(order) - stores + 1 :]]
    # The daemon of the job that stands goes on writing, and one more store does not fit in either.
    room = min(sizes.values()) // 2
    host.prune(f"{sum(sizes[each] for each in wanted) + room}", "--yes")
    left = [each for each in order if host.there.has_volume(each)]
    if left != wanted:
        account.wrong.append(f"{left} are left, and not {wanted}")
    standing.cleanup().passed()
    return account


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.kept_layers")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--stores", type=int, default=3)
    parser.add_argument("--no-broken", action="store_true")
    parser.add_argument("--image", default=NEW, help="the sidecar's")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args(args)
    random.seed(given.seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kept-layers") as text:
        host = Host(state.load(), given.image, Path(text))
        runs: list[tuple[str, Callable[[], Account]]] = []
        if given.kills:
            runs.append((f"{given.kills} kills", lambda: kills(host, given.kills)))
        if not given.no_broken:
            runs.append(("broken stores", lambda: broken(host)))
        if given.projects:
            what = f"{given.projects} projects, {given.stores} stores"
            runs.append((what, lambda: many(host, given.projects, given.stores)))
        try:
            for what, run in runs:
                started = time.monotonic()
                account = run()
                wrong += account.wrong
                print(f"{account.told(what)} ({time.monotonic() - started:.0f} s)", flush=True)
        finally:
            host.end()
    for each in wrong:
        print(each)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
