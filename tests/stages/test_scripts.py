"""Scripts: their status, their streams, what they leave running, and how they are stopped."""

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, JobCalls
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness, eventually

NO_DIND = {"dind": {"mode": "service"}}


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


@pytest.mark.parametrize("init", ["true", "false"])
def test_a_script_that_signals_its_parent_or_its_group(start: Start, init: str) -> None:
    """Whether it passes is up to the script; it runs once, and the next one in the same place."""
    variables = [
        Variable("FF_USE_INIT_WITH_DOCKER_EXECUTOR", init),
        Variable("EXECUTOR_JOB_SECTION_ATTEMPTS", "2"),
    ]
    job = start(JobRequest("debian:bookworm", variables=variables), NO_DIND)
    job.up()
    scripts = {
        "trap 'kill 0' EXIT; sleep 1 & true": "1",
        "bash -c 'kill 0'": "1",
        "kill $PPID || true": None,
        # An init hands it down to the keeper: later than the script's end, it would end the container.
        "kill -TERM 1 || true; sleep 1": None,
        "trap 'kill -INT 0' EXIT; true": "130",
        "kill -HUP $PPID; kill -USR1 $PPID; exit 5": "5",
    }
    found = {}
    for command in scripts:
        job.script("echo begun >>/tmp/begun", command)
        found[command] = job.exit_code
    seen = job.script("wc -l </tmp/begun").passed()
    assert seen.stdout.splitlines()[-1] == str(len(scripts))
    assert found == scripts


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


def test_what_another_user_left_ends_before_the_next_sub_stage(
    rig: Rig, start: Start, images: Images
) -> None:
    """A script that may become root leaves what its own user may not end; files stay."""
    name = rig.special("tests/becomes-root:1")
    make = "cp /usr/bin/setpriv /usr/bin/as-root; chmod 4755 /usr/bin/as-root"
    images.publish(images.changed("debian:bookworm", make, "USER 1000"), name)
    job = start(JobRequest(name), NO_DIND)
    job.up()

    first = job.script(
        "echo kept >/tmp/kept", "as-root --reuid=0 sh -c 'while echo noise; do sleep 0.1; done' &",
        "sleep 0.5", "exit 3",
    )  # fmt: skip
    second = job.script("cat /tmp/kept", "sleep 1", "id -u", sub_stage="after_script").passed()

    assert first.code == BUILD_FAILURE
    said = [line for line in second.stdout.splitlines() if not line.startswith("$ ")]
    assert said == ["kept", "1000"]


def test_a_program_that_makes_stdout_non_blocking(start: Start) -> None:
    """It does so for its own script: the next one can write as much as it likes."""
    options = {"executor_opts": {"docker": {"platform": "", "user": "1000"}}}
    job = start(JobRequest("debian:bookworm", image_options=options), NO_DIND)
    job.up()
    flags = "grep flags: /proc/self/fdinfo/1"
    before = job.script(flags).passed().stdout
    changed = job.script("dd oflag=nonblock </dev/null 2>&1", flags).passed().stdout

    assert job.script("id -u").passed().stdout.endswith("1000\n")
    after = job.script(flags).passed().stdout

    assert changed.splitlines()[-1] != before.splitlines()[-1]
    assert after == before


@pytest.mark.family(3)
@pytest.mark.parametrize("redirection", ["exec 2>&1", "exec > >(cat) 2>&1", "exec >&2"])
def test_an_entrypoint_that_leads_one_stream_into_the_other(start: Start, redirection: str) -> None:
    """Everything is in the job log, in its order, and statuses are what they are."""
    options = {"entrypoint": ["bash", "-c", f'{redirection}; exec "$@"', "bash"]}
    job = start(JobRequest("debian:bookworm", image_options=options), NO_DIND)
    job.up()

    call = job.script("echo one", "echo two >&2", "exit 7")

    assert (call.code, job.exit_code) == (BUILD_FAILURE, "7")
    lines = [line for line in call.output.splitlines() if not line.startswith("$ ")]
    assert lines == ["one", "two"]


def test_an_entrypoint_that_leads_stderr_nowhere(start: Start) -> None:
    """What a script writes to stdout is there, and its end is found."""
    options = {"entrypoint": ["sh", "-c", 'exec "$@" 2>/dev/null', "sh"]}
    job = start(JobRequest("debian:bookworm", image_options=options), NO_DIND)
    job.up()

    call = job.script("echo one", "echo two >&2", "exit 7")

    assert (call.code, job.exit_code, call.stderr) == (BUILD_FAILURE, "7", "")
    assert call.stdout.splitlines()[1] == "one"


def sleepers(witness: Witness, job: JobCalls, kind: str) -> list[str]:
    """Return the command lines of the sleeping programs in a container."""
    found = witness.container(job.id, kind).top(ps_args="-eo pid,args")["Processes"]
    return [row[1] for row in found if row[1].startswith("sleep 44")]
