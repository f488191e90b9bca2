"""The watch beside a script, on a small disk of its own."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.disk.limits import BYTES, Limits, Overrun
from executor.disk.watch import Watch
from executor.disk.watched import Watched
from executor.engine.docker import Engine
from executor.host.disk import Place
from executor.log import AdministratorLog
from executor.names import JobNames
from tests.engine.stub import StubEngine, http, stub_engine

MIB = 1 << 20
LIMITS = Limits(2 * MIB, 4 * MIB, 0)
_SIZE = 16 * MIB


class Disk:
    """A disk with a volume of each job, and the watches of these jobs."""

    def __init__(self, place: Path, stub: StubEngine, meeting: Path) -> None:
        self.place = place
        self.stub = stub
        self.meeting = meeting
        self.ended: dict[str, Overrun] = {}
        self._watches: list[threading.Thread] = []
        self._agrees = True
        stub.on("GET", "/containers/.*/json", http(404, {"message": "No such container"}))
        stub.on("POST", "/containers/.*/kill", http(204))

    def watched(self) -> Watched:
        """Return what prepare leaves."""
        here = Place("/data", str(self.place), self.place.stat().st_dev)
        return Watched((here,), LIMITS, "", 0.0, (), (), str(self.meeting))

    def job(self, key: str, *, agrees: bool = True) -> Path:
        """Begin to watch for a job; return the directory of its volume."""
        names = JobNames(key)
        directory = self.place / key
        directory.mkdir()
        mount = {"Type": "volume", "Name": names.docker_volume, "Source": str(directory)}
        self.stub.on("GET", f"/containers/{names.dind}/json", http(200, {"Mounts": [mount]}))
        engine = Engine.at(self.stub.host, "", tls_verify=False)
        watch = Watch(engine, names, self.watched(), AdministratorLog("run"))

        def end(overrun: Overrun) -> bool:
            self.ended[key] = overrun
            return agrees

        thread = threading.Thread(target=watch.follow, args=(end,))
        thread.start()
        self._watches.append(thread)
        return directory

    def unmount(self) -> None:
        """Take the disk away, and wait for the watches."""
        subprocess.run(["umount", "--lazy", self.place], check=True)
        for each in self._watches:
            each.join(60)
            assert not each.is_alive()

    def killed(self) -> set[str]:
        """Return the containers that were ended."""
        paths = [each.path for each in self.stub.received if each.method == "POST"]
        return {path.split("/")[2] for path in paths}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return a disk."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "x", place], check=True)
    with stub_engine(tmp_path) as stub:
        made = Disk(place, stub, tmp_path / "meeting")
        yield made
        if os.path.ismount(place):
            made.unmount()


def fill(directory: Path, mib: int) -> None:
    """Write into a directory."""
    with (directory / "file").open("ab") as file:
        file.write(b"x" * mib * MIB)


def until(condition: threading.Event, disk: Disk, count: int) -> None:
    """Wait until so many jobs were ended."""
    for _ in range(600):
        if len(disk.ended) >= count:
            return
        condition.wait(0.1)
    raise AssertionError(disk.ended)


def test_who_fills_the_disk_is_ended(disk: Disk) -> None:
    """Its containers are killed, and nobody else's."""
    one, other = disk.job("1-a"), disk.job("2-b")
    fill(other, 2)
    fill(one, 12)

    until(threading.Event(), disk, 1)
    disk.unmount()

    assert list(disk.ended) == ["1-a"]
    found = disk.ended["1-a"]
    assert (found.what, found.disk, found.volumes) == (BYTES, "/data", ())
    assert found.written == 12 * MIB
    names = JobNames("1-a")
    assert disk.killed() == {names.build, names.dind, names.helper}


def test_nobody_is_ended_where_there_is_room(disk: Disk) -> None:
    """Nobody is even asked about far from the floor."""
    disk.job("1-a")
    fill(disk.place / "1-a", 1)
    disk.unmount()

    assert disk.ended == {}
    assert disk.stub.received == []
    assert list(disk.meeting.iterdir()) == []


def test_nobody_is_ended_for_what_another_program_writes(disk: Disk) -> None:
    """A job that has written hardly anything is not the one that fills the disk."""
    disk.job("1-a")
    other = disk.place / "other"
    other.mkdir()
    fill(other, 15)
    told = disk.meeting / "writes-1-a.json"
    for _ in range(600):
        if told.exists() and json.loads(told.read_text())[4]:
            break
        threading.Event().wait(0.1)
    assert json.loads(told.read_text())[:3] == ["1-a", disk.place.stat().st_dev, 0]
    disk.unmount()

    assert disk.ended == {}


def test_a_script_that_has_ended_meanwhile(disk: Disk) -> None:
    """Nothing is killed then, and the watch is over."""
    fill(disk.job("1-a", agrees=False), 14)

    until(threading.Event(), disk, 1)
    disk.unmount()

    assert disk.killed() == set()


def test_no_place_to_meet(disk: Disk) -> None:
    """Without one nobody is ended, and the watch gives up."""
    disk.meeting = disk.place / "file"
    disk.meeting.write_text("")
    fill(disk.job("1-a"), 14)

    disk._watches[0].join(60)
    disk.unmount()

    assert disk.ended == {}
