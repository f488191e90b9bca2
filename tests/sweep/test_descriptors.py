"""Directories of others, opened and emptied without a step aside."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.sweep.descriptors import Refused, empty, open_directory, read_file

MINE = (os.getuid(),)


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A directory, and a descriptor of it."""
    directory = tmp_path / "inside"
    directory.mkdir(mode=0o700)
    with opened(directory) as descriptor:
        yield directory, descriptor


def test_a_directory_of_one_of_the_users_is_opened(tmp_path: Path) -> None:
    """A private directory of a user that counts is opened by its name."""
    (tmp_path / "own").mkdir(mode=0o700)
    with opened(tmp_path) as parent:
        descriptor = open_directory("own", parent, MINE)
        try:
            assert os.fstat(descriptor).st_ino == (tmp_path / "own").stat().st_ino
        finally:
            os.close(descriptor)


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_directory_that_others_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    """What lies there may be anybody's."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    with opened(tmp_path) as parent, pytest.raises(Refused, match="other users"):
        open_directory("shared", parent, MINE)


def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    """Who writes a forged note into his own directory is not heard."""
    (tmp_path / "own").mkdir(mode=0o700)
    with opened(tmp_path) as parent, pytest.raises(Refused, match="another user"):
        open_directory("own", parent, (os.getuid() + 1,))


def test_neither_a_link_nor_a_file_is_a_directory(tmp_path: Path) -> None:
    """A link to a directory is refused as a file is, and a FIFO does not hold up."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    with opened(tmp_path) as parent:
        for name in ("link", "file", "fifo", "nothing"):
            with pytest.raises(OSError, match=name):
                open_directory(name, parent, MINE)


def test_a_file_is_read_up_to_its_limit(inside: tuple[Path, int]) -> None:
    """A file of exactly the limit is read, a byte more is refused."""
    directory, descriptor = inside
    (directory / "fits").write_bytes(b"x" * 100)
    (directory / "long").write_bytes(b"x" * 101)

    assert read_file("fits", descriptor, 100) == b"x" * 100
    with pytest.raises(Refused, match="too long"):
        read_file("long", descriptor, 100)


def test_a_file_without_a_size_is_read_up_to_its_limit() -> None:
    """What the kernel makes as it is read says that it is empty, and is bounded as well."""
    with opened(Path("/proc/self")) as proc, pytest.raises(Refused, match="too long"):
        read_file("maps", proc, 10)


def test_a_large_file_is_not_read_at_all(inside: tuple[Path, int]) -> None:
    """100 MB are refused by their size."""
    directory, descriptor = inside
    with (directory / "large").open("wb") as file:
        file.truncate(100 << 20)

    with pytest.raises(Refused, match="too long"):
        read_file("large", descriptor, 16 << 20)


def test_what_is_no_plain_file_is_refused(inside: tuple[Path, int], tmp_path: Path) -> None:
    """Links, second names, FIFOs and devices are refused, and none of them holds up."""
    directory, descriptor = inside
    (tmp_path / "elsewhere").write_text("secret")
    (directory / "link").symlink_to(tmp_path / "elsewhere")
    (directory / "second").hardlink_to(tmp_path / "elsewhere")
    (directory / "directory").mkdir()
    os.mkfifo(directory / "fifo")
    words = {
        "link": "symbolic links",
        "second": "another name",
        "fifo": "regular",
        "directory": "regular",
    }
    for name, why in words.items():
        with pytest.raises(OSError, match=why):
            read_file(name, descriptor, 100)


def test_everything_in_a_directory_goes(inside: tuple[Path, int], tmp_path: Path) -> None:
    """Files and directories go; a link goes, and what it leads to stays."""
    directory, descriptor = inside
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (directory / "to-directory").symlink_to(outside)
    (directory / "to-file").symlink_to(outside / "kept")
    (directory / "second").hardlink_to(outside / "kept")
    os.mkfifo(directory / "fifo")
    deep = directory / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "file").write_text("")
    (deep / "up").symlink_to("../../..")

    assert empty(descriptor) == []
    assert list(directory.iterdir()) == []
    assert (outside / "kept").read_text() == "kept"


def test_the_last_file_stays_where_something_else_does(
    inside: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells whose a directory is goes when all else has gone."""
    directory, descriptor = inside
    for name in ("a", "note", "z"):
        (directory / name).write_text("")
    unlink = os.unlink
    gone: list[str] = []

    def refuse(name: str, *, dir_fd: int) -> None:
        if name == "z":
            raise PermissionError(1, "Operation not permitted")
        gone.append(name)
        unlink(name, dir_fd=dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        assert empty(descriptor, last="note") == ["z: Operation not permitted"]
    assert gone == ["a"]

    assert empty(descriptor, last="note") == []
    assert list(directory.iterdir()) == []


def test_endless_nesting_ends(inside: tuple[Path, int]) -> None:
    """Directories far below are left and named, whoever made them."""
    directory, descriptor = inside
    deep = directory
    for _ in range(100):
        deep /= "d"
    deep.mkdir(parents=True)

    (left,) = empty(descriptor)

    assert "too deep" in left
    subprocess.run(["rm", "-rf", directory / "d"], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts")
def test_a_mount_below_is_not_entered(tmp_path: Path) -> None:
    """What is mounted there, of the same file system too, stays whole."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "kept").write_text("kept")
    (tmp_path / "left" / "mounted").mkdir(parents=True)
    # In a namespace of its own, which takes the mount along when it ends.
    program = (
        "import os, sys\n"
        "from executor.sweep.descriptors import empty\n"
        "print(empty(os.open(sys.argv[1], os.O_RDONLY)))\n"
    )
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", "sh", "-ec"),
            'mount --bind "$1" "$2"; shift 2; exec "$@"',
            *("sh", tmp_path / "precious", tmp_path / "left" / "mounted"),
            *(sys.executable, "-c", program, tmp_path / "left"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this container may not mount")

    assert "another file system is mounted there" in done.stdout, done.stderr
    assert (tmp_path / "precious" / "kept").read_text() == "kept"
