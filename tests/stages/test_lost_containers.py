"""Containers that something outside removes or ends while a job needs them."""

from typing import Any

import pytest

from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

NO_DIND = {"dind": {"mode": "service"}}


@pytest.fixture(scope="module")
def job(start_standing: Start) -> JobCalls:
    """Return a job that the tests of this module share."""
    job = start_standing(JobRequest("docker:26.1-cli"), NO_DIND)
    job.up()
    return job


def test_a_prune_takes_none(job: JobCalls, witness: Witness) -> None:
    """The containers run for the whole job, also while no script does."""
    mine: dict[str, Any] = {"label": f"dind-executor.job-id={job.id}"}
    before = {each.id for each in witness.containers(job.id)}
    assert not witness.client.containers.prune(filters=mine)["ContainersDeleted"]
    assert len(before) == len(witness.client.containers.list(filters=mine)) == 2


@pytest.mark.parametrize(("kind", "sub_stage"), [("build", "step_test"), ("helper", "get_sources")])
def test_a_container_that_is_removed_is_made_again(
    job: JobCalls, witness: Witness, kind: str, sub_stage: str
) -> None:
    """A prune on the host between two sub-stages costs no job, and is told."""
    witness.container(job.id, kind).remove(force=True)
    call = job.script("ls source.txt", "ls -d ~/.docker || echo a helper",
                      sub_stage=sub_stage).passed()  # fmt: skip
    assert "Something removed the container" in call.stderr
    assert call.stderr.startswith("WARNING: Something removed the container dind-executor-")
    assert "source.txt\n" in call.stdout
    assert witness.container(job.id, kind).status == "running"


def test_a_container_that_ended_is_made_again(job: JobCalls, witness: Witness) -> None:
    """One that was killed is still there, and the engine would attach to it and wait."""
    witness.container(job.id, "build").kill()
    call = job.script("echo here").passed()
    assert "stopped while the job ran (exit code 137)" in call.stderr
    assert call.stdout.endswith("here\n")


def test_a_container_that_is_lost_under_its_script(job: JobCalls, witness: Witness) -> None:
    """A script that had begun does not run twice; after_script still does, in a new one."""
    running = job.start_run("build_script", job.authors("echo started", "sleep 3600"))
    running.wait_for("started\n")
    witness.container(job.id, "build").kill()
    call = running.finish()
    assert_error(call, SYSTEM_FAILURE, "stopped while the job ran (exit code 137)")
    assert job.exit_code is None
    job.script("echo after", sub_stage="after_script").passed()


def test_a_sub_stage_is_tried_as_often_as_the_job_says(start: Start, witness: Witness) -> None:
    """EXECUTOR_JOB_SECTION_ATTEMPTS counts the times that the container was lost."""
    attempts = Variable("EXECUTOR_JOB_SECTION_ATTEMPTS", "2")
    job = start(JobRequest("docker:26.1-cli", variables=[attempts]), NO_DIND)
    job.up()
    commands = ("test ! -e again || exec echo passed", "touch again", "echo started", "sleep 3600")
    running = job.start_run("build_script", job.authors(*commands))
    running.wait_for("started\n")
    witness.container(job.id, "build").remove(force=True)
    call = running.finish().passed()
    assert "not found or removed. Will retry...\n" in call.stderr
    assert "Retrying build_script\n" in call.stdout
    assert call.stdout.endswith("passed\n")

    counted = ("echo >>count", "echo run $(wc -l <count) >&2", "sleep 3600")
    running = job.start_run("build_script", job.authors(*counted))
    for number in (1, 2):
        running.wait_for(f"run {number}\n")
        witness.container(job.id, "build").remove(force=True)
    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert "ERROR: Execution attempts exceeded\n" in call.stderr


def test_a_script_that_ends_its_container_fails_with_its_status(start: Start) -> None:
    """The script runs once, and the container starts again with the files it has."""
    variables = [
        Variable("FF_USE_INIT_WITH_DOCKER_EXECUTOR", "true"),
        Variable("EXECUTOR_JOB_SECTION_ATTEMPTS", "2"),
    ]
    job = start(JobRequest("docker:26.1-cli", variables=variables), NO_DIND)
    job.up()

    call = job.script("echo begun >>/tmp/begun", "kill -9 -1", "sleep 60")

    assert (call.code, job.exit_code) == (BUILD_FAILURE, "137")
    assert "The script ended every process of its container" in call.stderr
    after = job.script("cat /tmp/begun", sub_stage="after_script").passed()
    assert (after.stdout.splitlines()[-1:], after.stderr) == (["begun"], "")


def test_a_volume_that_was_removed_too_goes_with_the_job(start: Start, witness: Witness) -> None:
    """The engine makes it anew for the new container, and cleanup finds what the engine made."""
    job = start(JobRequest(), NO_DIND)
    job.up()
    (builds,) = witness.volumes(job.id)
    for container in witness.containers(job.id):
        container.remove(force=True)
    witness.remove_volume(builds)
    assert "A new container takes its place." in job.run("build_script", "pwd\n").passed().stderr
    assert witness.volumes(job.id) == [builds]
    job.cleanup().passed()
    assert not witness.has_volume(builds)


def test_logins_in_a_home_that_outlives_the_container(start: Start, witness: Witness) -> None:
    """The second container finds what the first one made there, as a project's next job may."""
    job = start(JobRequest("docker:26.1-cli", variables=[Variable("HOME", "/builds")]), NO_DIND)
    job.up()
    look = job.authors("cat ~/.docker/config.json; echo")
    first = job.run("build_script", look).passed().stdout
    assert "{" in first
    witness.container(job.id, "build").remove(force=True)
    assert job.run("build_script", look).passed().stdout == first
