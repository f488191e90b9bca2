"""Runners that cannot reach a container's address, and calls that died halfway."""

from pathlib import Path

import pytest

from executor.engine.api import Api
from executor.shell.serving import sent_script
from tests.hooks import HOOKS
from tests.rig.state import Rig
from tests.stages.calls import IMPATIENT_RUN, SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

WAITS: Changes = {"dind": {"wait_until": "answers"}}
UNREACHABLE = ("unshare", "--net", str(HOOKS / "run"))
"""A runner in a container, or a rootless engine: the socket is there, the network is not."""


def written(job: JobCalls, *commands: str) -> Path:
    """Write an author's script where gitlab-runner would."""
    path = job.temp / "script"
    path.write_text(job.authors(*commands), encoding="utf-8")
    return path


@pytest.mark.family(2)
@pytest.mark.parametrize("command", [(), ("--log-level=error",)])
def test_dind_is_asked_from_within_where_its_address_is_out_of_reach(
    start: Start, command: tuple[str, ...]
) -> None:
    """dind is found to be ready also where it logs too little to say so."""
    service = {"name": "docker:26.1-dind", "command": list(command)}
    job = start(JobRequest(image="docker:26.1-cli", services=[service]), WAITS)
    job.up()
    path = written(job, "docker version")

    call = job.start("run", str(path), "build_script", program=UNREACHABLE).finish()

    call.passed()
    assert "Server" in call.output


def test_a_dind_that_is_asked_from_within_and_never_answers(start: Start) -> None:
    """`ready_timeout` holds there as well, and the last words of the stopped dind are told."""
    stopped = (
        "dockerd >/dev/null 2>&1 & until [ -S /var/run/docker.sock ]; do sleep 0.1; done;"
        " kill -STOP $(cat /var/run/docker.pid); echo API listen on nothing; wait"
    )
    service = {"name": "docker:26.1-dind", "entrypoint": ["sh", "-c", stopped, "dockerd"]}
    job = start(JobRequest(services=[service]), {"dind": {**WAITS["dind"], "ready_timeout": 3}})
    job.up()
    path = written(job, "echo never")

    call = job.start("run", str(path), "build_script", program=UNREACHABLE).finish()

    assert_error(
        call,
        SYSTEM_FAILURE,
        "The dind sidecar did not answer within 3 seconds (`[dind] ready_timeout`).",
        "  API listen on nothing\n",
    )


def test_a_call_that_died_while_it_sent_its_script_costs_no_other(
    rig: Rig, start: Start, witness: Witness
) -> None:
    """The next script runs, once, and what had come of the other one does not.

    How long it waits for the other one is made short here.
    """
    job = start(JobRequest(), {"dind": {"mode": "service"}})
    job.up()
    name = witness.container(job.id, "build").name
    answer, reader = Api(rig.engine_host).hijack(f"/containers/{name}/attach?stream=1&stdin=1")
    assert answer.status in {101, 200}
    half = sent_script(b"echo half >>/tmp/ran\n" + b"#" * 200_000, "0" * 32)[:100_000]
    reader.socket.sendall(half)
    reader.socket.close()

    path = written(job, "echo whole >>/tmp/ran", "sleep 1")
    job.start("run", str(path), "build_script", program=IMPATIENT_RUN).finish().passed()
    seen = job.script("cat /tmp/ran").passed()

    assert [line for line in seen.output.splitlines() if line in {"half", "whole"}] == ["whole"]
