"""Files in the state directory: whole or not there, and the directory's owner's."""

import os
from pathlib import Path

import pytest

from executor.host.state_files import locked, opened, read, write


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file is private, belongs to the directory's owner, and nothing else is left beside it."""
    os.chown(tmp_path, 12345, 54321)
    with opened(str(tmp_path)) as directory:
        write(directory, "one.json", b'{"a": 1}')
        assert read(directory, "one.json") == {"a": 1}
    (written,) = tmp_path.iterdir()
    found = written.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 54321, 0o600)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "\0", "\xff"])
def test_what_somebody_else_wrote_is_nothing(tmp_path: Path, content: str) -> None:
    """No content of a file raises."""
    (tmp_path / "one.json").write_text(content, encoding="latin-1")
    with opened(str(tmp_path)) as directory:
        assert read(directory, "one.json") == {}


def test_neither_links_nor_pipes_are_followed(tmp_path: Path) -> None:
    """A link is not read, and nobody waits for the writer of a pipe."""
    (tmp_path / "victim").write_text('{"a": 1}')
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    os.mkfifo(tmp_path / "pipe")
    with opened(str(tmp_path)) as directory:
        assert read(directory, "link") == read(directory, "pipe") == {}


def test_what_the_directory_s_user_puts_in_the_way_is_not_written_to(tmp_path: Path) -> None:
    """Root writes there too: a pipe is not waited for, and no other file changes, or its owner."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 54321)
    ways = (
        ("No such device", os.mkfifo),
        ("something else", lambda place: os.link(victim, place)),
        ("symbolic link", lambda place: place.symlink_to(victim)),
    )
    with opened(str(state)) as directory:
        for why, put in ways:
            put(state / "one.json.new")
            with pytest.raises(OSError, match=why):
                write(directory, "one.json", b"{}")
            assert list(state.iterdir()) == []
            write(directory, "one.json", b"{}")
            (state / "one.json").unlink()

    assert victim.read_text() == "as it was"
    assert (victim.stat().st_uid, victim.stat().st_nlink) == (os.geteuid(), 1)


def test_one_at_a_time_has_a_lock(tmp_path: Path) -> None:
    """A second one has it only when the first is done; another lock is apart.

    The file is the directory's owner's.
    """
    os.chown(tmp_path, 12345, 54321)
    place = str(tmp_path)
    with (
        locked(place, "one") as first,
        locked(place, "one") as second,
        locked(place, "one", 0.2) as patient,
        locked(place, "other") as apart,
    ):
        assert (first, second, patient, apart) == (True, False, False, True)
    with locked(place, "one") as again:
        assert again
    assert {(each.stat().st_uid, each.stat().st_gid) for each in tmp_path.iterdir()} == {
        (12345, 54321)
    }


def test_a_lock_changes_nothing_that_the_directory_s_user_puts_in_its_place(tmp_path: Path) -> None:
    """Another file that has its name by a second link keeps its owner."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 54321)
    os.link(victim, state / "one")
    (state / "two").symlink_to(victim)

    with locked(str(state), "one"), locked(str(state), "two") as is_held:
        assert is_held

    assert (victim.stat().st_uid, victim.read_text()) == (os.geteuid(), "as it was")


@pytest.mark.parametrize("place", ["", "missing", "file"])
def test_no_directory_says_nothing(tmp_path: Path, place: str) -> None:
    """Where there is no directory, nothing is read."""
    (tmp_path / "file").touch()
    with opened(str(tmp_path / place) if place else "") as directory:
        assert directory == -1
        assert read(directory, "one.json") == {}
    with locked(str(tmp_path / place) if place else "", "one") as is_held:
        assert is_held
