"""No room on the runner's own host: for the job's temporary directory, and for the log."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Changes, Jobs, Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

NO_DIND: Changes = {"dind": {"mode": "service"}}
SENTENCE = "A disk of gitlab-runner's host is full: No space left on device in "


@pytest.fixture
def job(rig: Rig, witness: Witness, tmp_path: Path) -> Iterator[JobCalls]:
    """Return a job whose temporary directory is on a small disk, with the log beside it."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tests", place], check=True)
    try:
        jobs = Jobs(rig, witness, place)
        yield jobs.start(JobRequest(), NO_DIND)
        jobs.end()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(job: JobCalls) -> None:
    """Leave no byte where the job's temporary directory is."""
    with suppress(OSError), (job.temp / "filler").open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


def test_in_prepare(job: JobCalls, witness: Witness) -> None:
    """The administrator is told which disk is full, and cleanup leaves nothing."""
    job.config().passed()
    fill(job)
    assert_error(job.prepare(), SYSTEM_FAILURE, SENTENCE, "Free space there")
    job.cleanup().passed()
    assert witness.objects(job.id) == []


def test_in_run(job: JobCalls) -> None:
    """A script that needs no room runs; one whose exit code cannot be kept is no failed script."""
    job.up()
    paths = []
    for name, command in (("good", "echo works"), ("bad", "exit 42")):
        path = job.temp / name
        path.write_text(job.authors(command), encoding="utf-8")
        paths.append(str(path))
    fill(job)
    assert job.call("run", paths[0], "build_script").passed().stdout.endswith("works\n")
    call = job.call("run", paths[1], "build_script")
    assert_error(call, SYSTEM_FAILURE, SENTENCE)


def test_in_cleanup(job: JobCalls, witness: Witness) -> None:
    """cleanup needs no room."""
    job.up()
    fill(job)
    assert job.cleanup().passed().output == ""
    assert witness.objects(job.id) == []


def test_the_log(start: Start) -> None:
    """A log that takes nothing fails no stage, and is told once."""
    job = start(JobRequest(), {**NO_DIND, "log": {"path": "/dev/full"}})
    assert "The administrator's log /dev/full cannot be written: No space left" in job.up().stderr
    assert job.script("echo works").passed().stderr == ""
    assert job.cleanup().passed().output == ""
