"""Room on the engine's disks, before anything is made for a job."""

import ctypes
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.budgets.measured import Measured, Measurement, leave_measurement
from executor.disk.limits import Limits
from executor.disk.room import Room
from executor.disk.watched import Watched
from executor.host.disk import VOLUMES, Place
from executor.log import AdministratorLog
from executor.runner import notes
from executor.stages.prepare.disk import Disk
from tests.budgets.shelf import image_id
from tests.builders import some_settings
from tests.engine.stub import StubEngine, http, stub_engine
from tests.stages.unit.prepare.test_prepare import Job

_SET_NAME = 15  # PR_SET_NAME
MIB = 1 << 20


def call_this_process(name: bytes) -> None:
    """Have the kernel know this process by a name."""
    assert ctypes.CDLL(None).prctl(_SET_NAME, name, 0, 0, 0) == 0


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Return the data root of an engine, on a disk of its own of 16 MiB."""
    place = tmp_path / "data"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "x", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def job(tmp_path: Path, data: Path) -> Iterator[Job]:
    """Return a job on an engine with this data root, as which this process passes."""
    before = Path("/proc/self/comm").read_bytes().strip()
    call_this_process(b"dockerd")
    (tmp_path / "state").mkdir()
    with stub_engine(tmp_path) as stub:
        made = Job(stub, tmp_path)
        stub.on("GET", "/info", http(200, {"DockerRootDir": str(data)}))
        settings(made)
        yield made
    call_this_process(before)


def settings(job: Job, *, floor: str = "4m", more: str = "") -> None:
    """Give the job settings for a small disk."""
    job.settings = (
        f'[disk]\nfloor = "{floor}"\nheadroom = "4m"\nfloor_inodes = 10\n{more}\n'
        f'[sweep]\nstate_dir = "{job.directory}/state"'
    )


def fill(data: Path, mib: int) -> None:
    """Write to the disk."""
    (data / "filler").write_bytes(b"x" * mib * MIB)


def made(job: Job) -> list[str]:
    """Return what was made of the job, or pulled for it."""
    return [
        each.path for each in job.stub.received if each.method == "POST" and "/create" in each.path
    ]


def logged(job: Job) -> list[dict[str, object]]:
    """Return what the administrator's log has."""
    log = job.directory / "operator.log"
    return [json.loads(line) for line in log.read_text().splitlines()]


def events(job: Job) -> list[object]:
    """Return what happened, by the administrator's log."""
    return [each["event"] for each in logged(job)]


def watched(job: Job) -> Watched | None:
    """Return what `run` is to watch."""
    found = [*job.directory.rglob(notes.DISK)]
    return Watched.read(found[0].read_bytes()) if found else None


def test_there_is_room(job: Job, data: Path) -> None:
    """The job begins, and its scripts are watched."""
    code, output = job.finish(job.prepare())

    assert code == 0, output
    told = watched(job)
    assert told
    assert [(each.name, each.path) for each in told.places] == [(str(data), str(data))]
    assert told.limits == (4 * MIB, 4 * MIB, 10)


def test_the_engine_is_asked_once_what_it_is(job: Job) -> None:
    """What the disk's place and the network's addresses are told by is one answer."""
    code, output = job.finish(job.prepare())

    assert code == 0, output
    asked = [each for each in job.stub.received if each.path.endswith("/info")]
    assert len(asked) == 1


def test_there_is_none(job: Job, data: Path) -> None:
    """Nothing is made or pulled, and the administrator is told what would help."""
    fill(data, 10)

    code, output = job.finish(job.prepare())

    assert code == 2
    assert f"6 MiB are free in {data}, and a job begins with 8 MiB or more" in output
    assert "`dind-executor prune` has not run yet" in output
    assert made(job) == []
    assert "disk low" in events(job)


def test_the_largest_things_are_named(job: Job, data: Path) -> None:
    """Three of them, as the last measurement had them."""
    fill(data, 10)
    things = [Measured("volume", f"v{each}", each * MIB, f"v{each}") for each in (5, 3, 2)]
    image = Measured("image", "registry.example/secret/project:1", 4 * MIB, image_id(7 << 220))
    measurement = Measurement(time.time() - 7200, (*things, image))
    assert leave_measurement(f"{job.directory}/state", job.stub.host, measurement) == ""

    _, output = job.finish(job.prepare())

    assert (
        "The largest things, as `dind-executor prune` measured 2 h ago: volume v5 (5 MiB),"
        " image 000000007000 (4 MiB), volume v3 (3 MiB). Free space"
    ) in " ".join(output.split())
    assert "secret" not in output
    (low,) = [each for each in logged(job) if each["event"] == "disk low"]
    assert low["largest"] == ["volume v5", f"image {image.name}", "volume v3"]


def test_a_disk_that_is_smaller_than_what_is_wanted(job: Job, data: Path) -> None:
    """Nothing of what is kept goes in vain: the settings are wrong."""
    settings(job, floor="20m")

    code, output = job.finish(job.prepare())

    assert code == 2
    assert f"want 24 MiB to be free in {data}, where there are 16 MiB in all" in output
    assert "Removing" not in output


def test_no_inodes(job: Job, data: Path) -> None:
    """Files that cannot be made any more count too."""
    subprocess.run(["mount", "-o", "remount,nr_inodes=20", data], check=True)

    code, output = job.finish(job.prepare())

    assert code == 2
    assert "inodes are free" in output


@pytest.mark.parametrize("more", ["watch = false"])
def test_nobody_watches(job: Job, more: str) -> None:
    """The administrator may switch that off."""
    settings(job, more=more)

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert watched(job) is None


def test_nobody_looks(job: Job, data: Path) -> None:
    """Without a floor a job begins on a full disk."""
    settings(job, floor="0", more="")
    job.settings = job.settings.replace("floor_inodes = 10", "floor_inodes = 0")
    fill(data, 15)

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert watched(job) is None


def test_a_disk_that_is_not_seen(job: Job, data: Path) -> None:
    """The job begins, and the log says that nobody has looked."""
    call_this_process(b"ssh")
    fill(data, 15)

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert events(job).count("disk not seen") == 1
    assert watched(job) is None


@pytest.mark.parametrize(("mib", "goes"), [(1, False), (6, True)])
def test_room_is_made_beside_a_job_before_it_lacks(
    data: Path, stub: StubEngine, mocker: MockerFixture, mib: int, *, goes: bool
) -> None:
    """Nobody waits for it: the job began with enough, and the next one will too."""
    reclaim = mocker.patch("executor.budgets.reclaim.reclaim")
    basics = mocker.Mock()
    basics.settings = some_settings('[disk]\nfloor = "4m"\nheadroom = "4m"\n')
    basics.context.host = stub.host
    place = Place("/data", str(data), data.stat().st_dev, (VOLUMES,))
    room = Room(Limits.of(basics.settings.disk), (place,))
    mocker.patch("executor.disk.room.Room.at", return_value=room)
    disk = Disk(stub.engine(), mocker.Mock(), basics, AdministratorLog("prepare"))
    fill(data, mib)

    disk.make_room()
    disk.tidy()

    assert reclaim.called == goes
