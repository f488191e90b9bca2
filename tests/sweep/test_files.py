"""Temporary directories that jobs have left: found, read and removed."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.names import LABEL, TEMP_DIR_LABEL
from executor.runner import notes
from executor.sweep.files import (
    PAYLOAD,
    LeftDirectory,
    claimed,
    find_left,
    read_payload,
    remove_left,
)
from executor.sweep.payload import UnusablePayload
from tests.sweep.samples import FACTS, TOKEN, leave, payload

MINE = (os.getuid(),)


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """gitlab-runner's TMPDIR."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    return directory


def found(parent: Path) -> LeftDirectory:
    (left,) = find_left(str(parent), "", MINE)
    return left


# --- finding -----------------------------------------------------------------------------------


def test_a_directory_with_a_note_is_found(parent: Path) -> None:
    """The note says whose it is; other directories of the host are nobody's."""
    left = leave(parent)
    for name in ("custom-executor", "custom-executorX", "my-custom-executor1", "systemd-private"):
        leave(parent, name)

    assert found(parent).path == str(left)
    assert found(parent).facts == FACTS


def test_our_own_directory_is_none_of_them(parent: Path) -> None:
    """The job that sweeps does not find itself."""
    own = leave(parent)

    assert find_left(str(parent), str(own), MINE) == []


def test_a_directory_of_another_user_is_not_looked_at(parent: Path) -> None:
    """Everyone may make a directory of this name in /tmp, with a note that lies."""
    leave(parent)

    assert find_left(str(parent), "", (os.getuid() + 1,)) == []


def test_strange_directories_are_passed_over(parent: Path, tmp_path: Path) -> None:
    """Links, FIFOs, and notes that are none: only what is whole counts."""
    elsewhere = leave(tmp_path, "elsewhere")
    (parent / "custom-executor1").symlink_to(elsewhere)
    os.mkfifo(parent / "custom-executor2")
    (parent / "custom-executor3").write_text("")
    (parent / "custom-executor4").mkdir()
    (parent / "custom-executor4").chmod(0o770)
    for number, note in enumerate((b"[]", b"[" * 100_000, b"{" + b" " * 100_000)):
        directory = leave(parent, f"custom-executor1{number}")
        (directory / notes.OWNER).write_bytes(note)
    linked = leave(parent, "custom-executor20")
    (linked / notes.OWNER).unlink()
    (linked / notes.OWNER).symlink_to(elsewhere / notes.OWNER)
    piped = leave(parent, "custom-executor21")
    (piped / notes.OWNER).unlink()
    os.mkfifo(piped / notes.OWNER)
    good = leave(parent, "custom-executor30")

    assert found(parent).path == str(good)


def test_a_note_of_another_directory_is_none(parent: Path) -> None:
    """A note that lies cannot have another job's stages ended: they are found by their directory."""
    leave(parent, "custom-executor1", facts={**FACTS, TEMP_DIR_LABEL: "/tmp/custom-executor2"})
    leave(parent, "custom-executor2", facts={**FACTS, TEMP_DIR_LABEL: "/tmp"})
    own = {**FACTS, TEMP_DIR_LABEL: "/tmp/custom-executor3"}  # of a mount namespace, it may be
    leave(parent, "custom-executor3", facts=own)

    assert found(parent).facts == own


def test_what_a_note_says_beside_texts_is_left_out(parent: Path) -> None:
    """A number or a list is no label's value."""
    leave(parent, facts={**FACTS, "number": 1, "list": [], LABEL: "17-0123456789"})

    assert found(parent).facts == FACTS


def test_without_the_directory_nothing_is_found(tmp_path: Path) -> None:
    """A TMPDIR that is gone holds nothing."""
    assert find_left(str(tmp_path / "none"), "", MINE) == []


# --- reading -----------------------------------------------------------------------------------


def test_the_payload_is_read(parent: Path) -> None:
    """It says which job of which GitLab it is, and the note beside it how GitLab is known."""
    directory = leave(parent)
    notes.leave(str(directory), notes.AUTHORITIES, b"-----BEGIN CERTIFICATE-----\n")
    notes.leave(str(directory), notes.SYSTEM_ID, b"s_1")

    read = read_payload(found(parent))

    assert (read.job_id, read.token, read.gitlab) == (17, TOKEN, "https://gitlab.example.com")
    assert read.authorities == "-----BEGIN CERTIFICATE-----\n"
    assert read.system_id == "s_1"


def test_a_strange_payload_is_not_read(parent: Path, tmp_path: Path) -> None:
    """Too long, no JSON, a FIFO, a link, or none at all: nothing is said to GitLab with it."""
    file = leave(parent) / PAYLOAD
    left = found(parent)
    (tmp_path / "other").write_text(json.dumps(payload()))

    def refused() -> str:
        with pytest.raises(UnusablePayload) as error:
            read_payload(left)
        return str(error.value)

    with file.open("r+b") as opened:
        opened.truncate(100 << 20)
    assert "too long" in refused()
    file.write_text(json.dumps(payload())[:-1])
    assert "not JSON" in refused()
    file.unlink()
    assert refused()
    os.mkfifo(file)
    assert "not a regular file" in refused()
    file.unlink()
    file.symlink_to(tmp_path / "other")
    assert refused()


def test_another_directory_of_the_name_is_not_read(parent: Path) -> None:
    """A directory that has been made since is another job's."""
    directory = leave(parent)
    left = found(parent)
    directory.rename(parent / "aside")
    leave(parent)

    with pytest.raises(UnusablePayload):
        read_payload(left)
    assert remove_left(left) == ""
    assert (directory / PAYLOAD).exists()


# --- removing ----------------------------------------------------------------------------------


def test_a_directory_is_removed_with_all_that_is_in_it(parent: Path) -> None:
    """No secret of the job stays, and a second removal finds nothing to do."""
    leave(parent)
    left = found(parent)

    assert remove_left(left) == ""
    assert list(parent.iterdir()) == []
    assert remove_left(left) == ""


def test_a_directory_in_which_a_process_works_stays(parent: Path) -> None:
    """A stage that outlives its gitlab-runner has its working directory there, or below."""
    directory = leave(parent)
    left = found(parent)
    for place in (directory, directory / "script456"):
        with subprocess.Popen(
            [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"],
            cwd=place,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert remove_left(left) == "a process works in it"
            assert (directory / PAYLOAD).exists()
            process.communicate()

    assert remove_left(left) == ""


def test_a_directory_that_another_sweep_works_on_stays(parent: Path) -> None:
    """Two sweeps at once do not ask GitLab twice, and none takes the payload from the other."""
    leave(parent)
    left = found(parent)
    with claimed(left) as first:
        assert first
        with claimed(left) as second:
            assert not second
        assert remove_left(left) == "another sweep works on it"
    with claimed(left) as third:
        assert third

    assert remove_left(left) == ""
    with pytest.raises(FileNotFoundError), claimed(left):
        pass


def test_a_removal_with_patience_waits_for_another_sweep(
    parent: Path, mocker: MockerFixture
) -> None:
    """Whichever of them removes it, it is gone afterwards, and nothing is said to be left."""
    directory = leave(parent)
    left = found(parent)
    other = ExitStack()
    other.enter_context(claimed(left))
    waited = mocker.patch("time.sleep", side_effect=lambda _seconds: other.close())

    assert remove_left(left, patience_seconds=60.0) == ""
    waited.assert_called_once()
    assert not directory.exists()


def test_an_error_inside_a_claim_is_raised(parent: Path) -> None:
    """The claim swallows nothing of what goes wrong meanwhile."""
    leave(parent)
    left = found(parent)

    with pytest.raises(FileNotFoundError, match="mine"), claimed(left):
        raise FileNotFoundError("mine")


def test_the_job_logs_of_its_gitlab_runner_are_removed(parent: Path) -> None:
    """They are known by name, device and inode; another file of the name stays, and another user's."""
    directory = leave(parent)
    (parent / "trace1").write_text("the job log")
    (parent / "trace2").write_text("of another gitlab-runner")
    (parent / "trace3").write_text("made since")
    (parent / "precious").write_text("kept")
    (parent / "trace4").symlink_to("precious")
    (parent / "trace6").write_text("of another user's gitlab-runner")
    os.chown(parent / "trace6", 12345, 12345)
    one, other, link, theirs = (
        os.lstat(parent / name) for name in ("trace1", "precious", "trace4", "trace6")
    )
    listed = [
        ["trace1", one.st_dev, one.st_ino],
        ["trace3", one.st_dev, one.st_ino],
        ["trace4", link.st_dev, link.st_ino],
        ["precious", other.st_dev, other.st_ino],
        ["../tmp/precious", other.st_dev, other.st_ino],
        ["trace5", 1, 2],
        ["trace6", theirs.st_dev, theirs.st_ino],
    ]
    notes.leave(str(directory), notes.TRACES, json.dumps(listed).encode())

    assert remove_left(found(parent)) == ""
    assert sorted(each.name for each in parent.iterdir()) == [
        "precious",
        "trace2",
        "trace3",
        "trace4",
        "trace6",
    ]


@pytest.mark.parametrize(
    "note", [b"", b"{}", b"[1]", b"[[1, 2, 3]]", b"[[]]", b'["trace1"]', b"\xff", b"[" * 100_000]
)
def test_a_strange_list_of_job_logs_names_none(parent: Path, note: bytes) -> None:
    """The directory goes all the same."""
    directory = leave(parent)
    notes.leave(str(directory), notes.TRACES, note)

    assert remove_left(found(parent)) == ""
    assert list(parent.iterdir()) == []
