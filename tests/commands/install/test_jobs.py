"""Which jobs run: by the notes in their directories, and by what lives."""

import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.install import jobs
from executor.host.owner import boot_id, pid_namespace, read_process
from executor.notation.owner import Belonging, Owner
from executor.runner import notes

PREFIX = Path("/opt/dind-executor")


def an_owner(pid: int = os.getpid(), boot: str = "", started: int | None = None) -> Owner:
    """Return this process as a gitlab-runner, or what is like it."""
    process = read_process(os.getpid())
    assert process
    when = process.started if started is None else started
    return Owner("-", boot or boot_id(), pid_namespace(), pid, when, local=True)


def a_job(parent: Path, number: int, owner: Owner | None, version: str = "") -> Path:
    """Make the directory of a job."""
    path = parent / f"custom-executor{number}"
    path.mkdir(mode=0o700)
    belonging = Belonging(f"{number}-key", str(number), "42", owner, temp_dir=str(path))
    (path / notes.OWNER).write_bytes(belonging.note())
    if version:
        (path / notes.VERSION).write_text(f"{version}\n")
    return path


@pytest.fixture(name="parent")
def _parent(mocker: MockerFixture, tmp_path: Path) -> Path:
    mocker.patch.object(jobs, "parents", return_value=(str(tmp_path),))
    return tmp_path


def test_a_job_whose_gitlab_runner_lives(parent: Path) -> None:
    """It is named with what it uses."""
    path = a_job(parent, 7, an_owner(), f"{PREFIX}/1.0")

    (found,) = jobs.running_jobs("/nowhere")

    assert found == ("7", "42", str(path), f"{PREFIX}/1.0")
    assert str(found) == f"job 7 of project 42 ({path})"


@pytest.mark.parametrize(
    "owner", [an_owner(started=1), an_owner(boot="another"), an_owner(pid=2**22 + 1)]
)
def test_a_job_whose_gitlab_runner_is_gone(parent: Path, owner: Owner) -> None:
    """Another process has its number, the host was started again, or nothing has it."""
    a_job(parent, 7, owner)

    assert jobs.running_jobs("/nowhere") == []


def test_a_note_of_a_version_that_cannot_be_read(parent: Path) -> None:
    """The job runs, with whichever version."""
    path = a_job(parent, 7, an_owner())
    (path / notes.VERSION).symlink_to("/etc/hostname")

    (found,) = jobs.running_jobs("/nowhere")

    assert found.version == ""


def test_jobs_of_another_installation(parent: Path) -> None:
    """They do not count below a prefix; one that says nothing may be of any."""
    for number, version in enumerate((f"{PREFIX}/1.0", "/opt/dind-executor2/1.0", "")):
        a_job(parent, number, an_owner(), version)

    found = jobs.of_prefix(jobs.running_jobs("/nowhere"), PREFIX)

    assert {each.job_id for each in found} == {"0", "2"}


def test_versions_that_are_used(tmp_path: Path) -> None:
    """Those of jobs, and those of processes by whichever path they were started."""
    found = [jobs.RunningJob("1", "2", "/tmp/x", f"{PREFIX}/1.0")]
    for number, program in enumerate(
        (f"{PREFIX}/hooks/../venv/bin/python", f"{PREFIX}/2.0/bin/python", "/usr/bin/python3", "")
    ):
        (tmp_path / str(number + 1)).mkdir()
        (tmp_path / str(number + 1) / "cmdline").write_text(f"{program}\0-I\0")

    assert jobs.versions_used(found, PREFIX, tmp_path) == {"1.0", "2.0", "venv"}
