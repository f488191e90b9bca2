"""config.toml on disk: whole or not at all, its owner's alone, and put back as it was."""

import errno
import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.register.config_file import Busy, Changed, ConfigFile

OLD, NEW = "concurrent = 1\n", "concurrent = 1\n\n[[runners]]\n"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


@pytest.mark.parametrize("before", [0o600, 0o644, 0o666])
def test_the_file_changes_in_one_step_and_is_kept(tmp_path: Path, before: int) -> None:
    """What was there lies beside it, and nobody but the owner reads either."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    path.chmod(before)
    file = ConfigFile(path)

    assert file.read() == OLD
    file.try_out(NEW)
    assert (path.read_text(), mode(file.tried)) == (OLD, 0o600)
    written = file.commit()

    assert path.read_text() == NEW
    assert written.backup is not None
    assert written.backup.read_text() == OLD
    assert (mode(path), mode(written.backup)) == (0o600, 0o600)
    assert names(tmp_path) == sorted(["config.toml", written.backup.name])


def test_a_file_that_cannot_be_replaced_leaves_no_copy(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """One that is mounted by itself, for example; the error names it."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    file = ConfigFile(path)
    file.read()
    file.try_out(NEW)
    busy = OSError(errno.EBUSY, "Device or resource busy", str(file.tried), None, str(path))
    mocker.patch.object(Path, "replace", side_effect=busy)

    with pytest.raises(OSError, match="resource busy") as raised:
        file.commit()
    file.forget()

    assert raised.value.filename == str(path)
    assert names(tmp_path) == ["config.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_and_a_group_that_reads_it_are_kept(tmp_path: Path) -> None:
    """A gitlab-runner that is not root still reads its configuration."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    path.chmod(0o640)
    os.chown(path, 1234, 2345)
    file = ConfigFile(path)

    file.read()
    file.try_out(NEW)
    written = file.commit()

    assert written.backup is not None
    for each in (path, written.backup):
        seen = each.stat()
        assert (seen.st_uid, seen.st_gid, mode(each)) == (1234, 2345, 0o640)


def test_a_file_that_was_not_there_is_removed_again(tmp_path: Path) -> None:
    """Its directory is made for root alone, and undoing leaves no file."""
    path = tmp_path / "gitlab-runner" / "config.toml"
    file = ConfigFile(path)

    with file.held():
        assert file.read() == ""
        file.try_out(NEW)
        written = file.commit()
        assert (path.read_text(), mode(path), mode(path.parent)) == (NEW, 0o600, 0o700)
        assert file.restore(written)

    assert names(path.parent) == []


def test_what_was_there_is_put_back(tmp_path: Path) -> None:
    """Byte by byte, and the copy is gone."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    file = ConfigFile(path)
    file.read()
    file.try_out(NEW)

    assert file.restore(file.commit())

    assert path.read_text() == OLD
    assert names(tmp_path) == ["config.toml"]


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    """Neither the new file nor the old one replaces it."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    file = ConfigFile(path)
    file.read()
    file.try_out(NEW)
    path.write_text("concurrent = 9\n")

    with pytest.raises(Changed):
        file.commit()
    assert path.read_text() == "concurrent = 9\n"

    file.read()
    written = file.commit()
    path.write_text("concurrent = 10\n")
    assert not file.restore(written)
    assert path.read_text() == "concurrent = 10\n"


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    """Nothing was there when it was read, so nothing is replaced."""
    path = tmp_path / "config.toml"
    file = ConfigFile(path)
    file.read()
    file.try_out(NEW)
    path.write_text(OLD)

    with pytest.raises(Changed):
        file.commit()

    assert path.read_text() == OLD


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it leads to is the one that changes."""
    real = tmp_path / "real"
    real.mkdir()
    (real / "c.toml").write_text(OLD)
    link = tmp_path / "config.toml"
    link.symlink_to(real / "c.toml")
    file = ConfigFile(link)
    file.read()
    file.try_out(NEW)

    file.commit()

    assert link.is_symlink()
    assert link.read_text() == NEW


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Whatever stands where the new file is tried is replaced."""
    path, other = tmp_path / "config.toml", tmp_path / "other"
    other.write_text("other")
    file = ConfigFile(path)
    file.tried.symlink_to(other)

    assert file.left() == ""
    file.try_out(NEW)

    assert other.read_text() == "other"
    assert file.left() == NEW


def test_one_at_a_time(tmp_path: Path) -> None:
    """The second call is refused, and the next one after that is not."""
    first, second = (ConfigFile(tmp_path / "config.toml") for _ in range(2))

    with first.held(), pytest.raises(Busy), second.held():
        pass
    with second.held():
        pass


def test_two_copies_within_a_second(tmp_path: Path) -> None:
    """Neither overwrites the other."""
    path = tmp_path / "config.toml"
    path.write_text(OLD)
    for number in range(3):
        file = ConfigFile(path)
        file.read()
        file.try_out(f"concurrent = {number + 2}\n")
        file.commit()

    kept = sorted(each.read_text() for each in tmp_path.glob("config.toml.before-register-*"))
    assert kept == ["concurrent = 1\n", "concurrent = 2\n", "concurrent = 3\n"]
