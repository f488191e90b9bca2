"""Stages that outlived their gitlab-runner are found, and ended."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.sweep.processes import end_stages, find_stages, is_worked_in
from tests.sweep.left import SLEEPER, living

STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
OBEDIENT = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); {SLEEPER}"


def test_a_stage_is_found_by_its_temporary_directory(tmp_path: Path) -> None:
    """Processes with the job's TMPDIR are its stages; those of another job are that one's."""
    ours, theirs = f"{tmp_path}/custom-executor1", f"{tmp_path}/custom-executor11"
    with living(env={"TMPDIR": ours}) as one, living(env={"TMPDIR": theirs}) as other:
        assert find_stages([ours, theirs, ""]) == {ours: (one.pid,), theirs: (other.pid,)}
        assert find_stages([ours]) == {ours: (one.pid,)}


def test_a_shell_that_looks_at_a_directory_is_no_stage(tmp_path: Path) -> None:
    """A process that works in the directory without the job's environment is a person's."""
    with living(cwd=str(tmp_path)):
        assert find_stages([str(tmp_path)]) == {}


def test_a_process_works_in_a_directory_that_it_sees_elsewhere(tmp_path: Path) -> None:
    """With a /tmp of its own, a stage names its working directory by another path."""
    place = tmp_path / "custom-executor1"
    place.mkdir()
    seen = place.stat()
    identity = (seen.st_dev, seen.st_ino)
    with living(cwd=str(place)):
        assert is_worked_in("/private/tmp/custom-executor1", identity)
        assert not is_worked_in("/private/tmp/custom-executor1", (0, 0))
        assert not is_worked_in("/private/tmp/custom-executor2", (0, 0))
    assert not is_worked_in(str(place), identity)


def test_no_file_system_of_a_job_is_asked(tmp_path: Path, mocker: MockerFixture) -> None:
    """One of a job, or of a server that is away, may never answer: only names are read there."""
    stat = mocker.spy(os, "stat")
    with living(cwd=str(tmp_path)):
        assert not is_worked_in(f"{tmp_path}/custom-executor1234567890", (0, 0))

    assert [call for call in stat.mock_calls if "cwd" in str(call)] == []


def test_a_process_of_another_namespace_is_no_stage(tmp_path: Path) -> None:
    """A container of a job cannot pass for a stage by the variables of its processes."""
    inside = subprocess.Popen(
        [
            "unshare",
            "--pid",
            "--fork",
            "env",
            f"TMPDIR={tmp_path}",
            "sh",
            "-c",
            "echo; exec sleep 600",
        ],
        stdout=subprocess.PIPE,
        process_group=0,
    )
    assert inside.stdout
    inside.stdout.readline()
    try:
        assert find_stages([str(tmp_path)]) == {}
    finally:
        os.killpg(inside.pid, signal.SIGKILL)
        inside.wait()
        inside.stdout.close()


@pytest.mark.parametrize(
    ("program", "terminate", "seconds", "code"),
    [
        (OBEDIENT, True, 60.0, 3),
        (STUBBORN, True, 0.0, -signal.SIGKILL),
        (OBEDIENT, False, 0.0, -signal.SIGKILL),
    ],
)
def test_a_stage_is_ended(
    tmp_path: Path, program: str, seconds: float, code: int, *, terminate: bool
) -> None:
    """TERM comes first, unless it has been sent before, and then KILL."""
    with living(program, env={"TMPDIR": str(tmp_path)}) as process:
        ended = end_stages([str(tmp_path)], seconds, terminate=terminate)

        assert ended
        assert process.wait(60) == code


def test_nothing_else_is_ended(tmp_path: Path) -> None:
    """Another job's stages live on."""
    with living(env={"TMPDIR": f"{tmp_path}/other"}) as process:
        assert end_stages([f"{tmp_path}/ours"], 0.0, terminate=True)
        assert process.poll() is None


def test_processes_that_cannot_be_seen(tmp_path: Path) -> None:
    """A /proc without processes has no stages."""
    assert find_stages([str(tmp_path)], proc=str(tmp_path)) == {}
