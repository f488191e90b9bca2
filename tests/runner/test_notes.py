"""What one call leaves for a later one: files that are whole, private, and found by their names."""

import os
import stat
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import Cancelled
from executor.runner import notes


def test_the_names_stay() -> None:
    """A job that an earlier version began is ended by this one, by the files that lie there."""
    assert {
        notes.OWNER,
        notes.MADE,
        notes.UNFINISHED,
        notes.OVER,
        notes.CLIENT,
        notes.SERVICE_LOGS,
        notes.ANSWERED,
        notes.OWNED,
        notes.RESTART,
        notes.CANCELLED,
        notes.request_of("dind-executor-1-ab-build"),
    } == {
        "dind-executor-owner",
        "dind-executor-made",
        "dind-executor-preparing",
        "dind-executor-over",
        "dind-executor-client",
        "dind-executor-service-logs",
        "dind-executor-answered",
        "dind-executor-owned",
        "dind-executor-restart",
        "dind-executor-cancelled",
        "dind-executor-1-ab-build.container.json",
    }


def test_the_table_lists_every_note() -> None:
    """Each name of the module has its row in the docstring."""
    names = {
        name for name, value in vars(notes).items() if name.isupper() and isinstance(value, str)
    }

    rows = [line for line in (notes.__doc__ or "").splitlines() if line.startswith("| `")]

    assert {row.split("`")[1] for row in rows} == names | {"request_of(container)"}


def test_a_note_comes_back_as_it_was_left(tmp_path: Path) -> None:
    """A later note of the same name takes the place of the earlier one."""
    for content in (b"long\0 text\n" * 1000, b"short", b""):
        notes.leave(str(tmp_path), "a-note", content)
        assert notes.read(str(tmp_path), "a-note") == content

    assert [each.name for each in tmp_path.iterdir()] == ["a-note"]


def test_a_note_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else may read a note, whatever the umask; it may hold secrets."""
    before = os.umask(0)
    try:
        notes.leave_all(str(tmp_path), "several", {"one": b"secret"})
    finally:
        os.umask(before)

    modes = [stat.S_IMODE((tmp_path / each).stat().st_mode) for each in ("several", "several/one")]
    assert modes == [0o700, 0o600]


def test_half_a_note_is_never_found(tmp_path: Path, mocker: MockerFixture) -> None:
    """A call that is ended while it writes leaves what was there before."""
    notes.leave(str(tmp_path), "a-note", b"whole")
    mocker.patch("os.write", side_effect=[3, Cancelled("gitlab-runner ended the stage")])

    with pytest.raises(Cancelled):
        notes.leave(str(tmp_path), "a-note", b"the next one")

    mocker.stopall()
    assert notes.read(str(tmp_path), "a-note") == b"whole"


def test_a_note_that_nobody_left_is_none(tmp_path: Path) -> None:
    """Reading and forgetting it is no fault, even where the directory is gone."""
    for directory in (tmp_path, tmp_path / "gone"):
        notes.forget(str(directory), "a-note")
        assert notes.read(str(directory), "a-note") is None
        assert not notes.is_left(str(directory), "a-note")


def test_a_forgotten_note_is_gone(tmp_path: Path) -> None:
    """Whoever looks later finds nothing of it."""
    notes.leave(str(tmp_path), "a-note")
    assert notes.is_left(str(tmp_path), "a-note")

    notes.forget(str(tmp_path), "a-note")

    assert not notes.is_left(str(tmp_path), "a-note")
