"""Job logs that a dead gitlab-runner has left: those that a note names, and those nobody has open."""

import json
import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.host.owner import pid_namespace
from executor.sweep import makers
from executor.sweep.logs import parse_known_logs, remove_stray_logs
from tests.sweep.left import living, options
from tests.sweep.runners import gitlab_runner

FIRST_LINE = b"\x1b[0KRunning with gitlab-runner 17.9.0 (c4cbe9dd)\n"

pytestmark = pytest.mark.usefixtures("whole_machine")


def a_log(parent: Path, name: str, content: bytes = FIRST_LINE, mode: int = 0o600) -> Path:
    made = parent / name
    made.touch(mode=mode)
    made.write_bytes(content)
    return made


def left(parent: Path) -> list[str]:
    """Return what is there after a sweep, and have it say truly what it removed."""
    before = len(list(parent.iterdir()))
    how = options(parents=(str(parent),), uids=frozenset({os.getuid()}))
    removed = remove_stray_logs(how)
    names = sorted(each.name for each in parent.iterdir())
    assert before - len(names) == removed
    return names


def test_only_names_of_job_logs_count() -> None:
    """What could be a path is no name of a job log."""
    content = json.dumps(
        [["trace12", 1, 2], ["trace", 1, 2], ["trace1/..", 1, 2], ["xtrace1", 1, 2]]
    )

    assert [each.name for each in parse_known_logs(content.encode())] == ["trace12"]


def test_logs_that_nobody_has_open(parent: Path) -> None:
    """They go: the begun ones, and those that are empty, as each is for its first seconds."""
    a_log(parent, "trace123456")
    a_log(parent, "trace2345678901", b"2026-01-01T00:00:00.000000Z 00O " + FIRST_LINE)
    a_log(parent, "trace34567", b"")

    assert left(parent) == []


def test_what_may_be_somebody_elses(parent: Path, tmp_path: Path) -> None:
    """A name alone is no proof: other programs and people call files so, too."""
    a_log(parent, "trace123456", b"execve(...) = 0\n")
    a_log(parent, "trace123457", b"x" * 300 + FIRST_LINE)
    a_log(parent, "trace123458", mode=0o640)
    a_log(parent, "trace1")
    a_log(parent, "trace123459.txt")
    os.chown(a_log(parent, "trace123460"), 12345, 12345)
    os.link(a_log(tmp_path, "other"), parent / "trace123461")
    (parent / "trace123462").symlink_to(a_log(tmp_path, "another"))
    (parent / "trace123463").mkdir()
    os.mkfifo(parent / "trace123464", 0o600)
    before = sorted(each.name for each in parent.iterdir())

    assert left(parent) == before


def test_a_log_of_a_job_that_lives(parent: Path) -> None:
    """Its gitlab-runner has it open."""
    a_log(parent, "trace123456")
    a_log(parent, "trace234567")
    with gitlab_runner(parent, logs=("trace123456",)):
        assert left(parent) == ["trace123456"]


def test_a_log_that_another_program_has_open(parent: Path) -> None:
    """gitlab-runner may have another name."""
    path = a_log(parent, "trace123456")
    hold = f"import signal; f = open({str(path)!r}, 'a'); print(flush=True); signal.pause()"
    with living(hold):
        assert left(parent) == ["trace123456"]
    assert left(parent) == []


def test_an_idle_gitlab_runner_may_keep_its_logs_otherwise(parent: Path) -> None:
    """One whose ways are not known, as none of its logs is open, proves nothing."""
    a_log(parent, "trace123456")
    with gitlab_runner(parent):
        assert left(parent) == ["trace123456"]


def test_from_where_not_everybody_is_seen(parent: Path, mocker: MockerFixture) -> None:
    """In a container, and on a file system that other machines have, they stay."""
    a_log(parent, "trace123456")
    mocker.patch.object(makers, "_FIRST_NAMESPACE", "1")
    assert left(parent) == ["trace123456"]
    mocker.patch.object(makers, "_FIRST_NAMESPACE", pid_namespace())
    mocker.patch.object(makers, "_file_system", return_value="nfs4")
    assert left(parent) == ["trace123456"]


def test_another_file_of_the_name(parent: Path, mocker: MockerFixture) -> None:
    """What was made since the look has another inode, and is another job's."""
    path = a_log(parent, "trace123456")
    real = makers.held_by_others

    def look(*words: object) -> object:
        path.rename(parent / "aside")
        a_log(parent, "trace123456")
        return real(*words)  # type: ignore[arg-type]

    mocker.patch("executor.sweep.logs.held_by_others", side_effect=look)

    how = options(parents=(str(parent),), uids=frozenset({os.getuid()}))
    assert remove_stray_logs(how) == 0
    assert sorted(each.name for each in parent.iterdir()) == ["aside", "trace123456"]


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    """Nothing is there, and nothing fails."""
    how = options(parents=(f"{tmp_path}/none",), uids=frozenset({os.getuid()}))

    assert remove_stray_logs(how) == 0
