"""A sidecar that does not come up: the job is told dockerd's last words, and what they mean."""

import pytest

from executor.shell import SOCKET
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, Variable


def test_a_dind_that_exits_at_once(rig: Rig, start: Start) -> None:
    """A system failure before the script begins shows dockerd's last words and their cause."""
    request = JobRequest(services=[{"name": rig.special("broken/docker:dind")}])
    job = start(request)
    job.up()
    call = job.script("echo never")
    assert_error(
        call,
        SYSTEM_FAILURE,
        "The dind sidecar exited with code 1.",
        "Likely cause: the host's kernel lacks a netfilter module",
        "  failed to start daemon: Error initializing network controller: error obtaining controller",
    )
    assert "never" not in call.output
    assert job.exit_code is None
    job.script("echo after", sub_stage="after_script").passed()


WRONG_ARGUMENTS = {
    "option": (
        "--no-such-option",
        ("dockerd got a wrong argument (check `[dind] command` and the service's `command`)"),
        "unknown flag",
    ),
    "storage driver": (
        "--storage-driver=none-such",
        (
            "dockerd's storage driver does not work on the host's file system (set another one in"
            " `[dind] command`, such as `--storage-driver=vfs`; `dind-executor doctor"
        ),
        "driver not supported",
    ),
}


@pytest.mark.parametrize(
    ("argument", "cause", "word"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS
)
def test_a_dind_with_a_wrong_argument(start: Start, argument: str, cause: str, word: str) -> None:
    """The job log shows what dockerd says of it, and what that means."""
    services = [{"name": "docker:26.1-dind", "command": [argument]}]
    job = start(JobRequest("docker:26.1-cli", services=services))
    job.up()
    call = job.script("docker version", "echo never")
    assert "\nnever\n" not in call.stdout
    assert_error(call, SYSTEM_FAILURE, "The dind sidecar exited with code", cause, word)


def test_a_dind_without_privileges(start: Start) -> None:
    """The administrator is told which settings would give it what it needs."""
    services = [{"name": "docker:26.1-dind"}]
    unprivileged: Changes = {"dind": {"privileged": False, "runtime": "runc"}}
    job = start(JobRequest(services=services), unprivileged)
    job.up()
    call = job.script("echo never")
    assert_error(
        call,
        SYSTEM_FAILURE,
        "The dind sidecar exited with code",
        "Likely cause: the sidecar lacks privileges that dockerd needs (set `[dind] privileged = true`",
    )


def test_the_last_words_hold_no_secret(start: Start) -> None:
    """A private variable that the sidecar prints shows in neither log."""
    secret = Variable("SECRET", "private-value-0013", public=False)
    service = {
        "name": "docker:26.1-dind",
        "entrypoint": ["sh", "-c", "echo it is $OF_DIND; exit 3", "dockerd"],
        "variables": [{"key": "OF_DIND", "value": "$SECRET", "public": True}],
    }
    job = start(JobRequest(services=[service], variables=[secret]))
    job.up()
    call = job.script("echo never")
    log = (job.settings.parent / "operator.log").read_text(encoding="utf-8")
    assert_error(call, SYSTEM_FAILURE, "exited with code 3", "it is [MASKED]")
    assert "it is [MASKED]" in log
    assert secret.value not in call.output + log


def test_a_dind_that_never_listens(start: Start) -> None:
    """The job ends after `ready_timeout`, and the message names that key."""
    services = [
        {
            "name": "docker:26.1-dind",
            "entrypoint": ["sh", "-c", "echo not a daemon; sleep 3600", "dockerd"],
        }
    ]
    job = start(JobRequest(services=services), {"dind": {"ready_timeout": 2}})
    job.up()
    call = job.script("echo never")
    assert_error(
        call,
        SYSTEM_FAILURE,
        "The dind sidecar did not answer within 2 seconds (`[dind] ready_timeout`).",
        "Its last log lines:\n  not a daemon\n",
    )
    assert "Likely cause" not in call.stderr


STOPPED = (
    "dockerd --host=unix:///var/run/docker.sock >/dev/null 2>&1 &"
    f" until [ -S {SOCKET} ]; do :; done;"
    " until kill -STOP $(cat /var/run/docker.pid); do :; done; echo it hangs; wait"
)
"""A daemon that listens, and stops before it answers."""


@pytest.mark.parametrize(
    ("wait_until", "command"), [("listens", "docker version"), ("answers", "true")]
)
def test_a_dind_that_never_answers(start: Start, wait_until: str, command: str) -> None:
    """Whoever waits for it fails after `ready_timeout`: the script, or what goes before it."""
    services = [{"name": "docker:26.1-dind", "entrypoint": ["sh", "-c", STOPPED, "dockerd"]}]
    changes: Changes = {"dind": {"ready_timeout": 7, "wait_until": wait_until}}
    job = start(JobRequest("docker:26.1-cli", services=services), changes)
    job.up()
    call = job.script(command)
    assert_error(
        call,
        SYSTEM_FAILURE,
        "The dind sidecar did not answer within 7 seconds (`[dind] ready_timeout`).",
        "  it hangs\n",
    )
