"""A sidecar that had answered, and then ended: no script runs without its Docker daemon unawares."""

from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, assert_error
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

LOST = (
    "ERROR: The dind sidecar exited with code 137. The script probably failed because it lost its"
    " Docker daemon. Retry the job. Its last log lines:\n"
)
AGAIN = "Retry the job: it gets a new sidecar."


def test_a_dind_that_ended_between_two_scripts(start: Start, witness: Witness) -> None:
    """The second script does not begin; a system failure shows dind's end and last words."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    job.script("docker version").passed()
    witness.container(job.id, "dind").kill()
    call = job.script("echo never", sub_stage="step_release")
    assert_error(
        call, SYSTEM_FAILURE, "The dind sidecar exited with code 137.", AGAIN, "API listen on"
    )
    assert "Likely cause" not in call.stderr
    assert "never" not in call.output
    assert job.exit_code is None
    job.script("echo after", sub_stage="after_script").passed()


def test_a_dind_that_was_removed_between_two_scripts(start: Start, witness: Witness) -> None:
    """The job is not taken for one that never had a sidecar."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    job.script("docker version").passed()
    witness.container(job.id, "dind").remove(force=True, v=True)
    call = job.script("echo never", sub_stage="step_release")
    assert_error(call, SYSTEM_FAILURE, "Something removed the dind sidecar", AGAIN)


def test_a_dind_that_ends_under_a_script(start: Start, witness: Witness) -> None:
    """That is a system failure with dind's end and last words, and after_script runs as ever."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    commands = ("echo started", "docker events", "exit 42")
    running = job.start_run("build_script", job.authors(*commands))
    running.wait_for("started\n")
    witness.container(job.id, "dind").kill()
    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert LOST in call.stderr
    assert job.exit_code is None
    after = job.script("echo after", sub_stage="after_script").passed()
    assert "sidecar" not in after.output


def test_a_script_that_fails_beside_a_dind_that_runs(start: Start) -> None:
    """The job log blames nothing but the script."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    call = job.script("exit 42")
    assert (call.code, job.exit_code) == (BUILD_FAILURE, "42")
    assert "sidecar" not in call.output


def test_a_script_is_not_tried_again_without_dind(start: Start, witness: Witness) -> None:
    """A lost build container is not replaced where dind has ended too."""
    attempts = Variable("EXECUTOR_JOB_SECTION_ATTEMPTS", "2")
    job = start(JobRequest("docker:26.1-cli", variables=[attempts]))
    job.up()
    running = job.start_run("build_script", job.authors("echo started", "sleep 3600"))
    running.wait_for("started\n")
    witness.container(job.id, "dind").kill()
    witness.container(job.id, "build").remove(force=True)
    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert "ERROR: The dind sidecar exited with code 137." in call.stderr
    assert call.stdout.count("$ echo started\n") == 1


def test_a_dind_that_was_started_anew(start: Start, witness: Witness) -> None:
    """The new daemon is not the one that earlier scripts left their containers in."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    job.script("docker version").passed()
    witness.container(job.id, "dind").restart(timeout=0)
    call = job.script("echo never", sub_stage="step_release")
    assert_error(call, SYSTEM_FAILURE, "Something restarted the dind sidecar", AGAIN)
