"""The log of changes."""

import json
import os
import resource
import time
from pathlib import Path

import pytest

from executor.commands.fleet.journal import BEGUN, DONE, FAILED, UNKNOWN, Journal, JournalFailed
from executor.commands.gitlab.client import GitLabFailed


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "fleet-audit.jsonl"


def change(path: Path, target: str = "t", error: Exception | None = None) -> None:
    """Make a change, which may fail."""
    with Journal(str(path)) as journal, journal.changing("drain", target, {"a": 1}, {"a": 2}):
        if error:
            raise error


def states(path: Path) -> list[str]:
    """Return the states in the file."""
    return [json.loads(each)["state"] for each in path.read_text().splitlines()]


def test_a_change_has_a_line_before_and_one_after(path: Path) -> None:
    """Who, what, from what to what; only its owner reads it."""
    change(path)

    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["state"], second["state"]) == (BEGUN, DONE)
    assert first["id"] == second["id"]
    assert (first["action"], first["target"]) == ("drain", "t")
    assert (first["before"], first["after"]) == ({"a": 1}, {"a": 2})
    assert "@" in first["who"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (GitLabFailed("no", 403), FAILED),
        (GitLabFailed("nothing came"), UNKNOWN),
        (GitLabFailed("broken", 502), UNKNOWN),
        (KeyboardInterrupt(), UNKNOWN),
    ],
)
def test_a_change_that_fails(path: Path, error: Exception, state: str) -> None:
    """Only a refusal says that nothing was changed."""
    with pytest.raises(type(error)):
        change(path, error=error)

    assert states(path) == [BEGUN, state]
    with Journal(str(path)) as journal:
        last = journal.last("t", "drain")
    assert (last is None) == (state == FAILED)
    assert last is None or last.is_open


def test_a_call_that_was_killed_is_seen(path: Path) -> None:
    """The line before is there, the one after is not, and a line that was cut off harms nothing."""
    child = os.fork()
    if not child:
        with Journal(str(path)) as journal, journal.changing("drain", "t", {}, {}):
            os._exit(9)
    os.waitpid(child, 0)
    path.write_text(path.read_text() + '{"id": "cut')

    with Journal(str(path)) as journal:
        last = journal.last("t", "drain")
        assert last is not None
        assert last.is_open
        journal.settle(last, DONE, "seen")
        assert journal.last("t", "drain") == last._replace(state=DONE)

    assert json.loads(path.read_text().splitlines()[-1])["state"] == DONE


def test_things_are_told_apart(path: Path) -> None:
    """The last change of a thing is its own."""
    change(path, "t")
    change(path, "u")

    with Journal(str(path)) as journal:
        assert journal.last("v", "drain") is None
        last = journal.last("t", "drain")
        lasts = journal.lasts()
        assert journal.after(lasts[0]) == {"a": 2}
        assert journal.before(lasts[0]) == {"a": 1}
    assert last is not None
    assert last.target == "t"
    assert [each.target for each in lasts] == ["t", "u"]
    assert abs(last.begun - time.time()) < 60


def test_one_command_writes_at_a_time(path: Path) -> None:
    """The second one says so, and changes nothing."""
    with Journal(str(path)), pytest.raises(JournalFailed, match="Another command"):
        Journal(str(path))

    change(path)


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """The sentence names the option; a link is not followed."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")

    for path in (tmp_path / "none" / "log", link):
        with pytest.raises(JournalFailed, match="--audit-log"):
            Journal(str(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    """What is noted must be there for the next command."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (pipe, Path("/dev/null")):
        with pytest.raises(JournalFailed, match="is no file"):
            Journal(str(path))


def test_a_disk_that_fills_within_a_line(path: Path) -> None:
    """The change is not made, and the half of a line harms no later one."""
    made = False
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with Journal(str(path)) as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
            with pytest.raises(JournalFailed, match="cannot be written"):  # noqa: SIM117 (it is made inside)
                with journal.changing("drain", "t", {}, {}):
                    made = True
        with pytest.raises(JournalFailed, match="cannot be written: File too large"):
            Journal(str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not made
    assert path.stat().st_size == 20

    change(path)

    assert [json.loads(each)["state"] for each in path.read_text().splitlines()[1:]] == [
        BEGUN,
        DONE,
    ]
