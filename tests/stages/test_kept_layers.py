"""Layers that a project's next job finds again, in real sidecars."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.generations import GENERATIONS, NEW, OLD
from tests.stages.calls import JobCalls
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

KEPT = {"dind": {"keep_layers": True}}

_DOCKERFILE = "FROM debian:bookworm\\nRUN head -c 9999 /dev/urandom >/made\\nCOPY changed /\\n"
BUILD = (
    f"cd $(mktemp -d) && printf '{_DOCKERFILE}' >Dockerfile && echo 1 >changed",
    "docker build -t built . 2>&1",
    "docker run --rm built test -s /made",
    # Unlike `echo` alone, these fail with what they run, or where that says nothing.
    "id=$(docker images -q --no-trunc built)",
    '[ -n "$id" ]',
    'echo "made $id"',
)
_LEFT = (
    "docker pull -q alpine",
    "docker run -d --name stays -v data:/data alpine sleep 1000",
    "docker network create a-net",
)
_SEEN = (
    "docker ps -aq; docker volume ls -q; docker network ls -q --filter type=custom;"
    " docker images -q {all}; docker buildx history ls -q 2>/dev/null"
)


def job_of(start: Start, image: str, project: int) -> JobCalls:
    """Return a job of a project that keeps layers."""
    services = [{"name": image}]
    return start(JobRequest("docker:26.1-cli", services=services, project_id=project), KEPT)


def made(job: JobCalls, *first: str) -> str:
    """Build in a job, after other commands; return what tells one run of the build from another."""
    said = job.script(*first, *BUILD).passed().stdout
    lines = [line for line in said.splitlines() if line.startswith("made ")]
    assert lines, said
    return lines[0]


def store_of(witness: Witness, job: JobCalls) -> str:
    """Return the volume that holds the data of a job's sidecar."""
    mounts = witness.container(job.id, "dind").attrs["Mounts"]
    return next(str(each["Name"]) for each in mounts if each["Destination"] == "/var/lib/docker")


def kind_in(witness: Witness, store: str) -> Path:
    """Return the directory of the engine's host with what dockerd has in a volume."""
    place = Path(witness.client.volumes.get(store).attrs["Mountpoint"])
    return next(each.with_suffix("") for each in place.glob("*.boot"))


def restarts(witness: Witness, job: JobCalls) -> bool:
    """Tell whether the sidecar's containerd would start what dockerd knows nothing of."""
    list_plugins = "ctr --address /var/run/docker/containerd/containerd.sock plugins ls"
    _, output = witness.container(job.id, "dind").exec_run(["sh", "-c", list_plugins])
    assert isinstance(output, bytes)
    said = output.decode()
    lines = [each.split() for each in said.splitlines() if " restart " in each]
    assert "io.containerd." in said
    return any(each[-1] == "ok" for each in lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees the engine's directories")
@pytest.mark.parametrize("image", [each for each in GENERATIONS if each != OLD])
def test_what_the_next_job_of_a_slot_finds(start: Start, witness: Witness, image: str) -> None:
    """It builds from the cache and sees nothing else, and what is broken is dropped."""
    first = job_of(start, image, 9101)
    first.up()
    built = made(first, *_LEFT)
    store = store_of(witness, first)

    beside = job_of(start, image, 9101)
    beside.config().passed()
    said = beside.prepare().passed().output
    assert f"WARNING: Job {first.id} is still using the layers of this slot." in said
    assert store_of(witness, beside) != store
    beside.cleanup().passed()
    first.cleanup().passed()

    second = job_of(start, image, 9101)
    assert "WARNING" not in second.up().output
    assert store_of(witness, second) == store
    call = second.script(f'echo "seen $({_SEEN.format(all="-a")})."', *BUILD, "docker pull alpine")
    assert "\nseen .\n" in call.passed().stdout
    assert built in call.stdout
    assert " complete" not in call.stdout  # no layer was moved
    # Elsewhere nothing of containerd is kept.
    assert image == NEW or not restarts(witness, second)
    second.cleanup().passed()

    damaged = kind_in(witness, store) / "buildkit/cache.db"
    os.truncate(damaged, damaged.stat().st_size // 2)
    third = job_of(start, image, 9101)
    assert "that this slot has kept: cache.db is damaged" in third.up().output
    again = made(third)
    assert again != built
    third.cleanup().passed()

    directory = kind_in(witness, store) / "buildkit"
    directory.rename(directory.with_suffix(".away"))
    directory.write_text("no directory")
    fourth = job_of(start, image, 9101)
    said = fourth.up().output
    # With images in containerd, the program before dockerd sees by that directory what is there.
    by_prepare = image == NEW
    why = "the Docker daemon does not start on them" if by_prepare else "does not know what is in"
    assert f"that this slot has kept: {'' if by_prepare else 'dind-executor '}{why}" in said
    assert (store_of(witness, fourth) != store) is by_prepare
    assert witness.has_volume(store) is not by_prepare
    assert made(fourth) not in (built, again)


@contextmanager
def small_disk(directory: Path) -> Iterator[str]:
    """Make a disk of 400 MB; yield its device."""
    file = directory / "disk"
    with file.open("wb") as image:
        image.truncate(400 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", file], check=True)
    command = ["losetup", "--find", "--show", str(file)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def fill(device: str, place: Path) -> None:
    """Leave no byte on a disk with a store, and little that its wipe frees.

    Else dockerd would begin with the room that its own database of networks had.
    """
    place.mkdir()
    subprocess.run(["mount", device, place], check=True)
    try:
        (networks,) = place.glob("*/network")
        shutil.rmtree(networks)
        for size in ("1M", "4k"):
            command = ["dd", "if=/dev/zero", f"of={place}/filler-{size}", f"bs={size}"]
            subprocess.run(command, check=False, capture_output=True)
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.family(3)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes disks")
@pytest.mark.parametrize("image", GENERATIONS)
def test_a_store_on_a_full_disk(start: Start, witness: Witness, tmp_path: Path, image: str) -> None:
    """It is dropped, and the job goes on without; its log says so."""
    first = job_of(start, image, 9104)
    first.config().passed()
    first.prepare().passed()
    store = store_of(witness, first)
    first.cleanup().passed()
    labels = witness.client.volumes.get(store).attrs["Labels"]
    witness.remove_volume(store)
    with small_disk(tmp_path) as device:
        options = {"type": "ext4", "device": device}
        witness.client.volumes.create(store, driver_opts=options, labels=labels)
        second = job_of(start, image, 9104)
        second.up()
        assert store_of(witness, second) == store
        built = made(second)
        second.cleanup().passed()

        fill(device, tmp_path / "mounted")
        third = job_of(start, image, 9104)
        said = third.up().output
        assert (
            "WARNING: This job's Docker daemon starts without the layers that this slot has" in said
        )
        assert "no space left on device" in said
        assert not witness.has_volume(store)
        assert made(third) != built
        third.cleanup().passed()


@pytest.mark.parametrize("classic", ["0", "1"])
def test_an_older_generation(start: Start, classic: str) -> None:
    """Of the classic builder, images are the cache: they stay, without their names."""
    first = job_of(start, OLD, 9102)
    first.up()
    choose = f"export DOCKER_BUILDKIT={'0' if classic == '1' else '1'}"
    built = made(first, choose, *_LEFT)
    first.cleanup().passed()

    second = job_of(start, OLD, 9102)
    second.up()
    seen = _SEEN.format(all="--filter dangling=false" if classic == "1" else "-a")
    call = second.script(choose, f'echo "seen $({seen})."', *BUILD, "docker pull alpine").passed()
    assert "\nseen .\n" in call.stdout
    assert built in call.stdout
    assert "Pull complete" not in call.stdout
