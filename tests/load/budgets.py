"""Jobs of more projects than a small disk has room for: all pass, and it never lacks room.

`python -m tests.load.budgets` runs 60 jobs of 12 projects, one after another, on an engine whose data lie
on a file system of 2 GiB.  Each job leaves 100 MB in its cache, and an image of 200 MB.  In the middle, the
records of what was used when are lost.  Free space must never fall below the floor, whatever went must be
what was least recently used, and nothing of the administrator's may go.
"""

import argparse
import contextlib
import json
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.full_disk import file_system, free_bytes
from tests.load.host_engine import HostEngine, host_engine
from tests.rig import state
from tests.rig.state import Rig
from tests.stages.conftest import Jobs
from tests.stages.registry import Images
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_PROJECT = 5_000
_MIB = 1 << 20
_BY_HAND = "administrators-volume"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything there is; in MiB."""

    jobs: int = 60
    projects: int = 12
    cache: int = 100
    image: int = 200
    floor: int = 256
    headroom: int = 350


@dataclass(slots=True)
class Account:
    """What became of it."""

    jobs: int = 0
    went: int = 0
    lowest: int = 0
    """The fewest free bytes that were seen."""
    wrong: list[str] = field(default_factory=list)

    def told(self, floor: int) -> str:
        """Return it in a line."""
        return (
            f"{self.jobs} jobs passed, {self.went} caches and images went; at least"
            f" {self.lowest // _MIB} MiB were free (floor {floor} MiB); {len(self.wrong)} wrong"
        )


class Host:
    """An engine on a small disk, its jobs, and what is kept there."""

    def __init__(self, rig: Rig, engine: HostEngine, directory: Path, sizes: Sizes) -> None:
        """Take the engine; what is the administrator's is made."""
        self.there = Witness(engine.host)
        self._rig = rig
        self._sizes = sizes
        self._state = directory / "state"
        self._state.mkdir()
        (directory / "jobs").mkdir()
        self._jobs = Jobs(rig, self.there, directory / "jobs")
        self._changes = {
            **engine.changes,
            "docker": {**engine.changes["docker"], "volumes": ["/cache"]},
            "dind": {**engine.changes["dind"], "mode": "service"},
            "sweep": {"state_dir": str(self._state)},
            "disk": {"floor": f"{sizes.floor}m", "headroom": f"{sizes.headroom}m"},
        }
        self._by_hand = str(self.there.client.images.pull("alpine").id)
        self.there.client.volumes.create(_BY_HAND)

    def run(self, number: int) -> None:
        """Run a project's job from config to cleanup."""
        request = JobRequest(image_of(self._rig, number), project_id=_PROJECT + number)
        job = self._jobs.start(request, self._changes)
        job.up()
        count = self._sizes.cache
        job.script(f"dd if=/dev/zero of=/cache/some bs=1M count={count} 2>/dev/null").passed()
        job.cleanup().passed()

    def kept(self) -> dict[str, str]:
        """Return what is kept of projects, as `cache N` and `image N`, each with when it was made."""
        found = {}
        tags = {tag for each in self.there.client.images.list() for tag in each.tags}
        for number in range(self._sizes.projects):
            if image_of(self._rig, number) in tags:
                found[f"image {number}"] = ""
            for name in self.there.lasting_volumes(_PROJECT + number):
                volume = self.there.client.volumes.get(name)
                found[f"cache {number}"] = str(volume.attrs["CreatedAt"])
        return found

    def lose_records(self) -> None:
        """Remove what says when something was used."""
        for each in self._state.glob("used-*"):
            shutil.rmtree(each)

    def gone(self) -> list[str]:
        """Return what is missing of the administrator's."""
        images = {str(each.id) for each in self.there.client.images.list()}
        image = [] if self._by_hand in images else ["the image that was pulled by hand"]
        volume = [] if self.there.has_volume(_BY_HAND) else ["the volume without labels"]
        return [*image, *volume]

    def end(self) -> None:
        """Assert that nothing of any job is left."""
        self._jobs.end()
        self.there.close()


class Uses:
    """When what was used, as far as records can tell."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._at: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._lost: set[str] = set()
        """Images of which nobody knows any more that a job pulled them."""

    def used(self, job: int, kept: set[str]) -> None:
        """Note what a job used."""
        for each in kept:
            self._at[each] = job
            self._made.setdefault(each, job)

    def went(self, things: set[str]) -> None:
        """Forget what is gone."""
        for each in things:
            self._made.pop(each, None)
            self._lost.discard(each)

    def lost(self, kept: set[str]) -> None:
        """Note that the records are gone: volumes count as used when they were made."""
        self._lost |= {each for each in kept if each.startswith("image")}
        self._at = dict(self._made)

    def wrong(self, went: set[str], stayed: set[str]) -> list[str]:
        """Return what went though something else was used before it, or though no job's."""
        found = [f"{each} went, of which there was no record" for each in went & self._lost]
        candidates = stayed - self._lost
        oldest = min((self._at[each] for each in candidates), default=None)
        younger = [
            each for each in went - self._lost if oldest is not None and self._at[each] > oldest
        ]
        return [
            *found,
            *(f"{each} went, and something that was used before it stayed" for each in younger),
        ]


def image_of(rig: Rig, number: int) -> str:
    """Return the name of a project's image."""
    return rig.special(f"tests/budget-{number}:1")


def publish(rig: Rig, witness: Witness, images: Images, sizes: Sizes) -> None:
    """Put each project's image into the registry: one layer that no other has."""
    shell = json.dumps(images.known("alpine").attrs["Config"].get("Cmd") or [])
    for number in range(sizes.projects):
        script = (
            f"dd if=/dev/zero of=/some bs=1M count={sizes.image} 2>/dev/null; echo {number} >/x"
        )
        container = witness.client.containers.create(
            "alpine", ["sh", "-c", script], network_mode="none"
        )
        try:
            container.start()
            container.wait()
            image = container.commit(changes=[f"CMD {shell}"])
        finally:
            container.remove(force=True)
        images.expect(str(image.id))
        images.publish(image, image_of(rig, number))


def run(rig: Rig, sizes: Sizes, directory: Path, size: str, dockerd: str) -> Account:
    """Run the jobs on an engine of their own."""
    witness = Witness(rig.engine_host)
    images = Images(witness)
    account = Account()
    try:
        publish(rig, witness, images, sizes)
        with (
            file_system(directory, size) as place,
            host_engine(rig, directory / "e", place, dockerd) as engine,
        ):
            host = Host(rig, engine, directory, sizes)
            account.lowest = free_bytes(place)
            with _watched(place, account):
                _run_all(host, sizes, account)
            host.end()
    finally:
        images.remove_all()
        witness.close()
    if account.lowest < sizes.floor * _MIB:
        account.wrong.append("free space fell below the floor")
    return account


def _run_all(host: Host, sizes: Sizes, account: Account) -> None:
    uses = Uses()
    for job in range(sizes.jobs):
        # Every project has its turn, and none for long.
        number = random.choice(range(sizes.projects)) if job % 3 else job % sizes.projects
        before = host.kept()
        host.run(number)
        account.jobs += 1
        now = host.kept()
        own = {f"cache {number}", f"image {number}"}
        went = set(before) - set(now) - own
        account.went += len(went)
        account.wrong += uses.wrong(went, set(before) & set(now) - own)
        # The job's own may have gone too, right before it began.
        uses.went({each for each in before if before[each] != now.get(each)})
        uses.used(job, own & set(now))
        if job == sizes.jobs // 2:
            host.lose_records()
            uses.lost(set(now))
    account.wrong += [f"{each} is gone" for each in host.gone()]
    if not account.went:
        account.wrong.append("nothing had to go: this shows nothing")


@contextlib.contextmanager
def _watched(place: Path, account: Account) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            account.lowest = min(account.lowest, free_bytes(place))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.budgets")
    usual = Sizes()
    parser.add_argument("--jobs", type=int, default=usual.jobs)
    parser.add_argument("--projects", type=int, default=usual.projects)
    parser.add_argument("--cache", type=int, default=usual.cache, help="MiB that a job leaves")
    parser.add_argument("--image", type=int, default=usual.image, help="MiB of a job's image")
    parser.add_argument("--floor", type=int, default=usual.floor, help="MiB")
    parser.add_argument("--headroom", type=int, default=usual.headroom, help="MiB")
    parser.add_argument("--size", default="2G")
    parser.add_argument("--dockerd", default="dockerd", help="the engine's program")
    given = parser.parse_args(args)
    sizes = Sizes(given.jobs, given.projects, given.cache, given.image, given.floor, given.headroom)
    with tempfile.TemporaryDirectory(prefix="budgets") as text:
        account = run(state.load(), sizes, Path(text), given.size, given.dockerd)
    print(account.told(sizes.floor))
    for each in account.wrong:
        print(each)
    return 1 if account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
