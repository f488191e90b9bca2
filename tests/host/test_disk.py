"""Which of the engine's file systems this process sees, and what is free there."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engine.stores import Stores
from executor.host.disk import IMAGES, VOLUMES, Place, all_free, free, places

OWN = os.getpid()


class Host:
    """A `/proc` with one process that may be the engine's, and a root directory that it has."""

    def __init__(self, directory: Path) -> None:
        self.proc = directory / "proc"
        self.root = directory / "root"
        self.root.mkdir()
        self.process(77, "dockerd", self.root)
        self.process(OWN, "python", Path("/"))
        (self.proc / "self").symlink_to(str(OWN))

    def process(self, pid: int, name: str, root: Path, namespace: str = "mnt:[1]") -> None:
        """Have a process."""
        place = self.proc / str(pid)
        (place / "ns").mkdir(parents=True, exist_ok=True)
        (place / "comm").write_text(f"{name}\n")
        for link, target in (("root", str(root)), ("ns/mnt", namespace)):
            (place / link).unlink(missing_ok=True)
            (place / link).symlink_to(target)

    def seen(self, stores: Stores) -> list[tuple[str, str]]:
        """Return names and paths of the places that are seen."""
        return [(each.name, each.path) for each in places(stores, str(self.proc))]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host."""
    return Host(tmp_path)


@pytest.fixture
def disk(host: Host) -> Iterator[Path]:
    """Return a directory in the engine's root directory with a file system of its own."""
    place = host.root / "data" / "volumes"
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=50", "x", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_an_engine_with_another_root_directory(host: Host) -> None:
    """What it calls its data root is looked for where it sees it."""
    (host.root / "data").mkdir()

    assert host.seen(Stores("/data", peer=77)) == [("/data", f"{host.proc}/77/root/data")]


def test_an_engine_with_the_same_root_directory(host: Host, tmp_path: Path) -> None:
    """What it calls its data root is that here too."""
    host.process(77, "dockerd", Path("/"))

    assert host.seen(Stores(str(tmp_path), peer=77)) == [(str(tmp_path), str(tmp_path))]


def test_an_engine_with_other_mounts(host: Host, tmp_path: Path) -> None:
    """One root directory is not enough: something may be mounted for one of them only."""
    host.process(77, "dockerd", Path("/"), "mnt:[2]")

    assert host.seen(Stores(str(tmp_path), peer=77)) == [
        (str(tmp_path), f"{host.proc}/77/root{tmp_path}")
    ]


@pytest.mark.parametrize(
    "stores",
    [
        Stores(""),
        Stores("/data"),
        Stores("/data", peer=4_000_000),
        Stores("/nowhere", peer=77),
    ],
    ids=["it says nothing", "another PID namespace", "it is gone", "no such directory"],
)
def test_what_is_not_seen(host: Host, stores: Stores) -> None:
    """An engine that is elsewhere has no place here."""
    (host.root / "data").mkdir()

    assert host.seen(stores) == []


def test_a_socket_that_leads_elsewhere(host: Host) -> None:
    """The process behind it may forward to another machine, and is no engine."""
    (host.root / "data").mkdir()
    host.process(77, "ssh", host.root)

    assert host.seen(Stores("/data", peer=77)) == []


@pytest.mark.parametrize(("name", "seen"), [(os.uname().nodename, True), ("elsewhere", False)])
def test_a_socket_that_the_init_system_has_opened(host: Host, name: str, *, seen: bool) -> None:
    """It stands for the engine that it starts, and not for a proxy to another host's."""
    (host.root / "data").mkdir()
    host.process(1, "systemd", host.root)

    found = host.seen(Stores("/data", engine_name=name, peer=1))

    assert found == ([("/data", f"{host.proc}/1/root/data")] if seen else [])


@pytest.mark.usefixtures("disk")
def test_each_file_system_is_one_place(host: Host) -> None:
    """A directory on a disk of its own is a place of its own, others are not."""
    (host.root / "data" / "containers").mkdir()

    found = host.seen(Stores("/data", "overlay2", peer=77))

    assert [name for name, _ in found] == ["/data", "/data/volumes"]
    kept = [each.keeps for each in places(Stores("/data", "overlay2", peer=77), str(host.proc))]
    assert kept == [(IMAGES,), (VOLUMES,)]


@pytest.mark.parametrize(
    ("configuration", "root"),
    [
        (None, "/var/lib/containerd"),
        ('root = "/images/"', "/images"),
        ("root = 1", "/var/lib/containerd"),
        ("root = [", "/var/lib/containerd"),
    ],
)
def test_images_in_containerd(host: Host, configuration: str | None, root: str) -> None:
    """They lie where containerd's configuration says, or where it has them by default."""
    if configuration is not None:
        (host.root / "etc/containerd").mkdir(parents=True)
        (host.root / "etc/containerd/config.toml").write_text(configuration)
    place = host.root / root[1:]
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "x", place], check=True)
    try:
        (host.root / "data").mkdir()
        found = places(Stores("/data", in_containerd=True, peer=77), str(host.proc))
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)

    assert [(each.name, each.keeps) for each in found] == [
        ("/data", (VOLUMES,)),
        (root, (IMAGES,)),
    ]


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize(
    ("driver", "kept"), [("overlay2", "overlay2"), ("overlayfs", "containerd/daemon")]
)
def test_images_in_the_data_root(host: Host, driver: str, kept: str) -> None:
    """They lie in a directory of the driver's, or in that of a containerd of dockerd's own."""
    (host.root / "data/containerd/daemon").mkdir(parents=True)
    (host.root / "var/lib/containerd").mkdir(parents=True)  # some other one's
    place = host.root / "data" / kept
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "x", place], check=True)
    try:
        # The address of dockerd's own containerd may be an unusual one.
        in_another = driver == "overlayfs"
        found = places(Stores("/data", driver, in_another, peer=77), str(host.proc))
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)

    assert [(each.name, each.keeps) for each in found if each.keeps] == [
        ("/data/volumes", (VOLUMES,)),
        (f"/data/{kept}", (IMAGES,)),
    ]


def test_what_is_free(disk: Path) -> None:
    """Bytes and inodes are those that are free for everybody."""
    place = Place("/x", str(disk), disk.stat().st_dev)
    before = free(place)
    assert before
    assert before.inodes
    (disk / "file").write_bytes(b"x" * 4096)

    after = free(place)

    assert after
    assert after.bytes == before.bytes - 4096
    assert after.inodes == before.inodes - 1


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    """Nothing is known of a directory that is gone, or another file system by now."""
    gone = Place("/gone", str(tmp_path / "gone"), 1)
    other = Place("/other", str(tmp_path), tmp_path.stat().st_dev + 1)

    assert all_free([gone, other]) == []


def test_a_file_system_that_makes_inodes_as_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no number of them."""
    told = os.statvfs(tmp_path)
    fields = (*told[:5], 0, 0, 0, *told[8:])
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(fields))

    found = free(Place("/x", str(tmp_path), tmp_path.stat().st_dev))

    assert found
    assert found.inodes is None
