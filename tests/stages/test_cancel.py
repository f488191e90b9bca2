"""SIGTERM while a script runs or is waited for: what ends, and what the next sub-stage finds."""

import signal
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, JobCalls, Running
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually

ENTRYPOINT = """\
trap 'echo the entrypoint ended >/builds/farewell' TERM
"$@" <&0 &
wait $!
"""


@pytest.fixture(scope="module")
def job(rig: Rig, start_standing: Start) -> JobCalls:
    """Return a job that the tests of this module share; its dind has an image of its own."""
    options = {"entrypoint": ["bash", "-c", ENTRYPOINT, "bash"]}
    job = start_standing(JobRequest(rig.special("tools/docker-cli:1"), image_options=options))
    job.up()
    job.script("docker pull --quiet alpine").passed()
    return job


def test_a_cancel_ends_all_that_the_script_started(job: JobCalls, witness: Witness) -> None:
    """The script's trap speaks; its sessions and containers end, deaf to SIGTERM or not."""
    job.script("docker run -d --restart always --name service alpine sleep 4471").passed()
    running = job.start_run(
        "build_script",
        job.authors(
            "touch /tmp/kept kept",
            "setsid sleep 4472 &",
            "trap 'echo last words; exit 1' TERM",
            "docker run alpine sh -c 'trap \"\" TERM; echo started; while :; do sleep 1; done' &",
            "wait",
        ),
    )
    running.wait_for("started\n")
    before = identities(job, witness)

    running.signal(signal.SIGTERM)
    call = running.finish()

    assert call.code == SYSTEM_FAILURE
    assert "last words\nStopped 2 containers of the job's Docker daemon.\n" in call.stdout
    assert call.stderr.count("ERROR") == 0
    assert job.exit_code is None
    running_inside = witness.inside(witness.container(job.id, "dind"), "docker", "ps", "-q")
    assert running_inside == ""
    # What the image's entrypoint does on SIGTERM is done.
    farewell = job.script("cat /builds/farewell", sub_stage="prepare_script").passed()
    assert farewell.stdout.endswith("the entrypoint ended\n")
    # The rest of the environment is as it was.
    assert witness.containers(job.id, "build") == []
    assert identities(job, witness) == {k: v for k, v in before.items() if k != "build"}


def test_after_a_cancel_the_after_script_begins_in_a_clean_container(
    job: JobCalls, witness: Witness
) -> None:
    """The project is there, the image is as it was, and docker works."""
    running = job.start_run(
        "build_script", job.authors("touch /tmp/kept kept", "echo it", "sleep 3600")
    )
    running.wait_for("it\n")
    running.signal(signal.SIGTERM)
    running.finish()
    job.script("true", sub_stage="prepare_script").passed()

    after = job.script(
        "ls kept", "test ! -e /tmp/kept", "docker version --format 'on {{.Server.Os}}'",
        "echo $(docker images -q alpine | wc -l) image", sub_stage="after_script",
    ).passed()  # fmt: skip

    said = [line for line in after.stdout.splitlines() if not line.startswith("$ ")]
    assert (said, after.stderr) == (["kept", "on linux", "1 image"], "")
    assert sorted(identities(job, witness)) == ["build", "dind", "helper"]
    # One sub-stage after another goes on in the same container.
    build = witness.container(job.id, "build").id
    job.script("true", sub_stage="after_script").passed()
    assert witness.container(job.id, "build").id == build


def test_containers_outlive_a_script_that_ends_by_itself(job: JobCalls) -> None:
    """What before_script started with `docker run -d` serves until after_script."""
    job.script("docker run -d --name lasting alpine sleep 4473", "false")
    job.script('test -n "$(docker ps -q -f name=lasting)"', "docker rm -f lasting",
               sub_stage="after_script").passed()  # fmt: skip


def test_a_script_deaf_to_sigterm_is_ended(job: JobCalls, witness: Witness) -> None:
    """What ignores the signal is killed after a time of grace; a second signal changes nothing."""
    deaf = job.authors("trap '' TERM", "echo deaf", "sleep 4474", "echo and goes on", "sleep 4474")
    running = job.start_run("build_script", deaf)
    running.wait_for("deaf\n")
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGTERM)
    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert witness.containers(job.id, "build") == []


def test_a_helpers_script_is_stopped_and_its_container_stays(
    job: JobCalls, witness: Witness
) -> None:
    """A cancel of get_sources ends what fetches, and costs no container."""
    before = identities(job, witness)["helper"]
    running = job.start_run(
        "get_sources", job.authors("setsid sleep 4475 &", "echo it", "sleep 4476")
    )
    running.wait_for("it\n")
    running.signal(signal.SIGTERM)
    assert running.finish().code == SYSTEM_FAILURE
    found = witness.container(job.id, "helper")
    rows = found.top(ps_args="-eo pid,args")["Processes"]
    assert found.id == before
    assert not [row for row in rows if row[1].startswith("sleep 447")]


def test_a_cancel_while_dind_is_waited_for(start: Start, witness: Witness) -> None:
    """The call ends at once and silently, and the environment stays for cleanup."""
    never = {"name": "docker:26.1-dind", "entrypoint": ["sh", "-c", "sleep 3600"]}
    job = start(JobRequest(services=[never]))
    job.up()
    before = identities(job, witness)
    running = job.start_run("build_script", job.authors("echo never"))
    eventually(lambda: handles_sigterm(running), "the stage handles SIGTERM")
    running.signal(signal.SIGTERM)
    call = running.finish()
    assert (call.code, call.output) == (SYSTEM_FAILURE, "")
    assert identities(job, witness) == before


def identities(job: JobCalls, witness: Witness) -> dict[str, str]:
    """Return the ids of the job's containers that run, by kind."""
    return {
        each.labels["dind-executor.type"]: str(each.id)
        for each in witness.containers(job.id)
        if each.status == "running"
    }


def handles_sigterm(running: Running) -> bool:
    """Tell whether a call has set up what it does on SIGTERM."""
    status = Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught & 1 << (signal.SIGTERM - 1))
