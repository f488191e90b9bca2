"""Scripts: their status, their streams, what they leave running, and how they are stopped."""

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, JobCalls
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start) -> JobCalls:
    """Return a job that all tests of this module share; bash runs its scripts."""
    job = start_standing(JobRequest(rig.special("tools/docker-cli:1")))
    job.up()
    return job


def test_every_script_status_is_reported(job: JobCalls) -> None:
    """A failed script writes its status; a sub-stage that passes leaves no stale one behind."""
    ends = {
        "exit 42": "42", "false": "1", "exit 2": "2", "exit 255": "255", "exit 257": "1",
        "kill -9 $$": "137", "kill -9 $BASHPID": "137", "no-such-command": "127",
    }  # fmt: skip
    found = {}
    for command in ends:
        assert job.script(command).code == BUILD_FAILURE
        found[command] = job.exit_code
    assert found == ends
    job.script("exit 256").passed()
    assert job.exit_code is None


def test_a_helper_script_that_fails_is_reported(job: JobCalls) -> None:
    """A failed get_sources is a failed script too."""
    assert job.script("exit 7", sub_stage="get_sources").code == BUILD_FAILURE
    assert job.exit_code == "7"


def test_the_script_cannot_be_read_by_what_it_runs(job: JobCalls) -> None:
    """A command that reads stdin finds its end, and the script goes on after it."""
    assert job.script("cat", "echo after").passed().stdout.endswith("$ echo after\nafter\n")


def test_output_keeps_its_stream_and_comes_whole(job: JobCalls) -> None:
    """Both streams arrive where they were written, also a great deal at once."""
    call = job.script("seq 1 200000", "echo oops >&2").passed()
    assert call.stdout.splitlines()[1:200001] == [str(number) for number in range(1, 200001)]
    assert call.stderr == "oops\n"


@pytest.mark.parametrize("sub_stage", ["build_script", "restore_cache"])
def test_what_a_script_leaves_running_is_ended(
    job: JobCalls, witness: Witness, sub_stage: str
) -> None:
    """Neither a child nor a session of its own outlives a sub-stage, or keeps it from ending."""
    kind = "build" if sub_stage == "build_script" else "helper"
    call = job.script(
        "sleep 4441 &", "setsid sleep 4442 &", "(setsid sleep 4443 >/dev/null 2>&1 &)", "echo done",
        sub_stage=sub_stage,
    ).passed()  # fmt: skip
    assert call.output.endswith("done\n")
    # Killed they are; the kernel may take a moment to be done with them.
    eventually(lambda: not sleepers(witness, job, kind), "nothing is left running")


def sleepers(witness: Witness, job: JobCalls, kind: str) -> list[str]:
    """Return the command lines of the sleeping programs in a container."""
    found = witness.container(job.id, kind).top(ps_args="-eo pid,args")["Processes"]
    return [row[1] for row in found if row[1].startswith("sleep 44")]
