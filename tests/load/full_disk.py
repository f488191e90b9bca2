"""Four jobs on one small disk, one of which writes without end: it alone ends, and the others pass.

`python -m tests.load.full_disk` does that once for each place in which a job may write: in a build, in
a container of its dind, in the build container, in a cache volume.  The engine's data lie on a file
system of their own, in a file of 2 GiB.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.host_engine import HostEngine, host_engine
from tests.rig import state
from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, Call, JobCalls
from tests.stages.conftest import Jobs
from tests.stages.own_engine import OwnEngine
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_ZEROS = "if=/dev/zero bs=1M"
WRITERS: Mapping[str, str] = {
    "a build": f'printf "FROM alpine\\nRUN dd {_ZEROS} of=/big\\n" | docker build -',
    "a container of dind": f"docker run --rm alpine dd {_ZEROS} of=/big",
    "the build container": f"dd {_ZEROS} of=/big",
    "a cache": f"dd {_ZEROS} of=/cache/big",
}
"""What writes without end, by the place in which it does."""

SENTENCE = "ERROR: The job was ended because it filled the disk of the Docker Engine's host: "
_STEP = f'printf "FROM alpine\\nRUN dd {_ZEROS} of=/some count=8\\n" | docker build -q -'
_GO = "/tmp/go"
_OTHERS = (
    _STEP,
    "echo at it",
    f"until [ -e {_GO} ]; do sleep 0.1; done",
    _STEP,
    "docker run --rm alpine echo passed",
)
_PROJECT = 4_000


@dataclass(slots=True)
class Account:
    """What became of one writer and of the jobs beside it."""

    writer: str
    seconds: float = 0.0
    lowest: int = 0
    """The fewest free bytes that were seen."""
    floor: int = 0
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return it in a line."""
        return (
            f"{self.writer}: ended after {self.seconds:.1f} s, at least {self.lowest >> 20} MiB were"
            f" free (floor {self.floor >> 20} MiB), {'; '.join(self.wrong) or 'the others passed'}"
        )


class Filling:
    """Jobs on one engine, whose free bytes are looked at."""

    def __init__(
        self,
        rig: Rig,
        engine: OwnEngine | HostEngine,
        directory: Path,
        *,
        floor_mib: int,
        free: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take the engine, its floor, and what tells how many bytes are free on it."""
        self._there = Witness(engine.host)
        self._jobs = Jobs(rig, self._there, directory)
        self._free = free
        self._floor = floor_mib << 20
        self._changes = {
            **engine.changes,
            # The machine may be busy with other tests.
            "dind": {**engine.changes["dind"], "ready_timeout": 300},
            "docker": {**engine.changes["docker"], "volumes": ["/cache"]},
            "disk": {"floor": f"{floor_mib}m", "headroom": f"{floor_mib}m", "floor_inodes": 2000},
        }

    def run(self, writer: str, others: int) -> Account:
        """Run a job that writes without end and some beside it, to their ends."""
        account = Account(writer, floor=self._floor, lowest=self._free())
        jobs = [self._begin(number) for number in range(others + 1)]
        with self._watched(account):
            running = [each.start_run("build_script", each.authors(*_OTHERS)) for each in jobs[1:]]
            for call in running:
                call.wait_for("at it\n")
            began = time.monotonic()
            ended = jobs[0].script(WRITERS[writer])
            account.seconds = time.monotonic() - began
            for job in jobs[1:]:
                self._there.inside(self._there.container(job.id, "build"), "touch", _GO)
            calls = [call.finish() for call in running]
        account.wrong += self._wrong_with(jobs[0], ended)
        account.wrong += [f"another job: {each.output}" for each in calls if each.code]
        for job in jobs:
            job.cleanup().passed()
        return account

    def end(self) -> None:
        """Assert that nothing is left."""
        self._jobs.end()
        self._there.close()

    def _begin(self, number: int) -> JobCalls:
        request = JobRequest("docker:26.1-cli", project_id=_PROJECT + number)
        job = self._jobs.start(request, self._changes)
        job.up()
        return job

    def _wrong_with(self, job: JobCalls, call: Call) -> list[str]:
        """Return what is not as it should be of the job that was to end."""
        wrong = []
        if call.code != BUILD_FAILURE or SENTENCE not in call.stderr:
            wrong.append(f"the writer ended with {call.code}: {call.output}")
        after = job.script("echo after", sub_stage="after_script")
        if after.code != BUILD_FAILURE or "nothing more of it runs" not in after.stderr:
            wrong.append(f"after_script ended with {after.code}: {after.output}")
        if self._there.objects(job.id):
            wrong.append("it has left something")
        return wrong

    @contextlib.contextmanager
    def _watched(self, account: Account) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                account.lowest = min(account.lowest, self._free())

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextlib.contextmanager
def file_system(directory: Path, size: str) -> Iterator[Path]:
    """Mount a file system of its own in a file of so many bytes; yield where."""
    image, place = directory / "disk.img", directory / "disk"
    place.mkdir()
    with image.open("wb") as file:
        subprocess.run(["truncate", "--size", size, str(image)], check=True)
        file.flush()
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        image.unlink()


def free_bytes(place: Path) -> int:
    """Return how many bytes are free on a file system."""
    told = os.statvfs(place)
    return told.f_bavail * told.f_frsize


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where anything else ended than the job that writes."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.full_disk")
    parser.add_argument("--only", choices=list(WRITERS), action="append")
    parser.add_argument("--others", type=int, default=3)
    parser.add_argument("--size", default="2G")
    parser.add_argument("--floor", type=int, default=400, help="MiB; as much again to begin")
    parser.add_argument("--dockerd", default="dockerd", help="the engine's program")
    given = parser.parse_args(args)
    rig = state.load()
    accounts = []
    with tempfile.TemporaryDirectory(prefix="full") as text:
        directory = Path(text)
        with (
            file_system(directory, given.size) as place,
            host_engine(rig, directory / "e", place, given.dockerd) as engine,
        ):
            (directory / "jobs").mkdir()
            filling = Filling(
                rig,
                engine,
                directory / "jobs",
                free=lambda: free_bytes(place),
                floor_mib=given.floor,
            )
            for writer in given.only or WRITERS:
                accounts.append(filling.run(writer, given.others))
                print(accounts[-1].told(), flush=True)
            filling.end()
    return 1 if any(each.wrong for each in accounts) else 0


if __name__ == "__main__":
    sys.exit(main())
