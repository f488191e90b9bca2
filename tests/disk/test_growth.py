"""What is found of what a job has written."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from executor.disk.growth import Grown, Tree, grown

KIB = 1024


def device(path: Path) -> int:
    """Return the file system that a directory is on."""
    return path.stat().st_dev


def found(*trees: Tree, path: Path, since: float = 0.0, seconds: float = 60.0) -> Grown:
    """Return what is found in directories on the file system of one."""
    return grown(trees, device(path), since, seconds)


def test_files_and_directories(tmp_path: Path) -> None:
    """Both count, at any depth, with what they take on the disk."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(b"x" * 40 * KIB)

    told = found(Tree(str(tmp_path)), path=tmp_path)

    assert told.inodes == 3
    assert told.bytes >= 40 * KIB
    assert told.volumes == ()


def test_a_file_with_holes_and_a_file_of_two_names(tmp_path: Path) -> None:
    """A hole takes nothing, and a file counts once."""
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "one").write_bytes(b"x" * 40 * KIB)
    (tmp_path / "other").hardlink_to(tmp_path / "one")

    told = found(Tree(str(tmp_path)), path=tmp_path)

    assert told.inodes == 2
    assert told.bytes < 80 * KIB


def test_what_is_mounted_or_linked_is_not_entered(tmp_path: Path) -> None:
    """A job cannot lead the walk elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_bytes(b"x" * 4 * KIB)
    place = tmp_path / "job"
    (place / "mounted").mkdir(parents=True)
    (place / "link").symlink_to(tmp_path / "elsewhere")
    (place / "root").symlink_to("/")
    mounted = place / "mounted"
    subprocess.run(["mount", "-t", "tmpfs", "x", mounted], check=True)
    try:
        (mounted / "file").write_bytes(b"x" * KIB)
        told = found(Tree(str(place)), path=tmp_path)
    finally:
        subprocess.run(["umount", "--lazy", mounted], check=True)

    assert told.inodes == 2


def test_another_file_system(tmp_path: Path) -> None:
    """What does not lie on the one that is asked about is left out, as is what is gone."""
    assert grown([Tree("/proc"), Tree(f"{tmp_path}/gone")], device(tmp_path), 0.0, 60.0) == Grown(
        0, 0
    )


def test_a_volume_that_lasts(tmp_path: Path) -> None:
    """Only what was changed since the job began counts there; where that is much, it is named."""
    kept, own, untouched, little = (
        tmp_path / each for each in ("kept", "own", "untouched", "little")
    )
    for each in (kept, own, untouched, little):
        each.mkdir()
        (each / "old").write_bytes(b"x" * 40 * KIB)
    time.sleep(0.05)
    since = time.time()
    (kept / "new").write_bytes(b"x" * 8 * KIB)
    (little / "new").write_bytes(b"x")
    # What an archive gives back has an old time of its own.
    os.utime(kept / "new", (1, 1))

    told = found(
        Tree(str(kept), "the-cache"),
        Tree(str(untouched), "another"),
        Tree(str(little), "some"),
        Tree(str(own)),
        path=tmp_path,
        since=since,
    )

    assert told.volumes == ("the-cache",)
    assert told.inodes == 3
    assert 48 * KIB <= told.bytes < 80 * KIB


@pytest.mark.parametrize("depth", [3000])
def test_directories_deeper_than_any_path(tmp_path: Path, depth: int) -> None:
    """They hide nothing from the walk."""
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 10, dir_fd=at)
        below = os.open("d" * 10, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    descriptor = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=at)
    os.write(descriptor, b"x" * 40 * KIB)
    os.close(descriptor)
    os.close(at)
    try:
        told = found(Tree(str(tmp_path)), path=tmp_path)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / ("d" * 10)], check=True)

    assert told.inodes == depth + 1


def test_the_time_is_limited(tmp_path: Path) -> None:
    """Without any nothing is found, and nothing is left open."""
    (tmp_path / "file").write_bytes(b"x")
    before = len(list(Path("/proc/self/fd").iterdir()))

    assert found(Tree(str(tmp_path)), path=tmp_path, seconds=0.0) == Grown(0, 0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
