"""What config notes for the case that gitlab-runner dies."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from executor.notation.owner import Owner
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.stages.aftermath import leave_aftermath

OWNER = Owner("m4ch1ne", "b00t", "4026531836", os.getpid(), 1, local=True)


def env(temp_dir: Path | None, **more: str) -> RunnerEnv:
    return RunnerEnv({"TMPDIR": str(temp_dir or ""), **more})


@pytest.fixture
def temp_dir(tmp_path: Path) -> Path:
    """The job's temporary directory, in that of gitlab-runner."""
    directory = tmp_path / "custom-executor1"
    directory.mkdir()
    return directory


def test_job_logs_of_the_owner_are_noted(temp_dir: Path) -> None:
    """They lie beside the job's directory, and are known by device and inode."""
    with (temp_dir.parent / "trace17").open("w") as file:
        leave_aftermath(env(temp_dir), OWNER)
        seen = os.fstat(file.fileno())

    noted = json.loads(notes.read(str(temp_dir), notes.TRACES) or b"")
    assert noted == [["trace17", seen.st_dev, seen.st_ino]]


def test_the_authorities_of_gitlab_runner_are_noted(temp_dir: Path) -> None:
    """The sweep that ends this job in GitLab trusts what gitlab-runner trusted."""
    leave_aftermath(env(temp_dir, CUSTOM_ENV_CI_SERVER_TLS_CA_FILE="-----BEGIN"), None)

    assert notes.read(str(temp_dir), notes.AUTHORITIES) == b"-----BEGIN"


def test_the_id_of_the_owner_in_gitlab_is_noted(temp_dir: Path) -> None:
    """A job that GitLab has given to another gitlab-runner since is not this one's to end."""
    (temp_dir.parent / ".runner_system_id").write_text("s_1")
    with subprocess.Popen(["sleep", "60"]) as process:
        owner = OWNER._replace(pid=process.pid)
        leave_aftermath(env(temp_dir, CONFIG_FILE=f"{temp_dir.parent}/config.toml"), owner)
        process.kill()

    assert notes.read(str(temp_dir), notes.SYSTEM_ID) == b"s_1"


def test_nothing_is_noted_without_a_reason(temp_dir: Path) -> None:
    """Over plain HTTP, and without an owner or its job logs, there is no note."""
    leave_aftermath(env(temp_dir), None)
    leave_aftermath(env(temp_dir), OWNER)
    leave_aftermath(env(None), OWNER)

    assert list(temp_dir.iterdir()) == []


def test_a_note_that_cannot_be_written_ends_no_job(temp_dir: Path) -> None:
    """Config goes on where the directory is gone."""
    temp_dir.rmdir()

    leave_aftermath(env(temp_dir, CUSTOM_ENV_CI_SERVER_TLS_CA_FILE="-----BEGIN"), None)
