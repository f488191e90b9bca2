"""The directory of captures."""

import fcntl
import os
from pathlib import Path

import pytest

from executor.host import captures as store
from executor.host.captures import expire, keep, remove


def names(directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir()]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return where captures go, which is not there yet."""
    return tmp_path / "captures"


def test_a_file_is_written_as_a_whole(directory: Path) -> None:
    """Its directory is made, and nothing lies beside it."""
    assert keep(str(directory), "1-a.json", "{}", replaces=True) == f"{directory}/1-a.json"
    keep(str(directory), "1-a.json", "[]", replaces=True)
    keep(str(directory), "1-a.json", "no", replaces=False)

    assert names(directory) == ["1-a.json"]
    assert (directory / "1-a.json").read_text() == "[]"


def test_the_oldest_go(directory: Path) -> None:
    """By number, by age, by size; and what a killed stage has left."""
    directory.mkdir(mode=0o700)
    for number in range(store.MOST_FILES + 5):
        file = directory / f"{number}.json"
        file.write_text("{}")
        os.utime(file, (file.stat().st_mtime - number,) * 2)
    (directory / "9-x.json.new").write_text("half")

    keep(str(directory), "new.json", "{}", replaces=True)

    left = set(names(directory))
    assert len(left) == store.MOST_FILES
    assert {"new.json", "0.json"} <= left
    assert "9-x.json.new" not in left
    for name in left:
        os.utime(directory / name, (0, 0))
    keep(str(directory), "newer.json", "{}", replaces=True)
    assert names(directory) == ["newer.json"]


def test_large_ones_go(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum is bounded, too."""
    monkeypatch.setattr(store, "MOST_BYTES", 100)
    keep(str(directory), "1.json", "x" * 80, replaces=True)
    os.utime(directory / "1.json", ((directory / "1.json").stat().st_mtime - 9,) * 2)
    keep(str(directory), "2.json", "x" * 80, replaces=True)
    keep(str(directory), "3.json", "x", replaces=True)

    assert sorted(names(directory)) == ["2.json", "3.json"]


def test_a_busy_directory_is_left_alone(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writes at a time, and nobody waits long."""
    monkeypatch.setattr(store, "_WAIT_SECONDS", 0.0)
    directory.mkdir(mode=0o700)
    held = os.open(directory, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    with pytest.raises(OSError, match="another job is captured"):
        keep(str(directory), "1.json", "{}", replaces=True)

    os.close(held)
    keep(str(directory), "1.json", "{}", replaces=True)


def test_a_link_is_not_followed(directory: Path, tmp_path: Path) -> None:
    """Whoever may write to the state directory gets no file of another's written."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        keep(str(directory), "1.json", "{}", replaces=True)

    assert names(tmp_path / "elsewhere") == []


def test_removal(directory: Path) -> None:
    """A file that is not there is fine."""
    remove(str(directory), "1.json")
    keep(str(directory), "1.json", "{}", replaces=True)
    remove(str(directory), "1.json")
    remove(str(directory), "1.json")

    assert names(directory) == []


def test_old_ones_go_without_another(directory: Path) -> None:
    """What is not too old stays, and without an old one nobody waits for the directory."""
    assert expire(str(directory)) == 0
    directory.mkdir(mode=0o700)
    for name in ("old.json", "new.json", "half.json.new"):
        (directory / name).write_text("{}")
    descriptor = os.open(directory, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert expire(str(directory)) == 0
    os.close(descriptor)

    os.utime(directory / "old.json", (0, 0))

    assert expire(str(directory)) == 2
    assert names(directory) == ["new.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone has files of others")
def test_root_may_remove_them_for_another_user(directory: Path) -> None:
    """Not where others than that user may write: then they could name any file."""
    directory.mkdir(mode=0o700)
    (directory / "old.json").write_text("{}")
    os.utime(directory / "old.json", (0, 0))
    os.chown(directory, 65534, 65534)
    directory.chmod(0o770)
    with pytest.raises(PermissionError):
        expire(str(directory))

    directory.chmod(0o700)
    assert expire(str(directory)) == 1
