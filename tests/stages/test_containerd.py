"""A containerd that starts before dockerd, in a real sidecar: nothing else is other than it was."""

import pytest

from tests.generations import GENERATIONS, NEW
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, JobCalls, assert_error
from tests.stages.conftest import Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually

_LOOK = """
for p in /proc/[0-9]*; do
  read -r name <$p/comm && echo "$name $(grep ^State <$p/status) $(tr '\\0\\n' '  ' <$p/cmdline)"
done 2>/dev/null
"""
_KILLED = "kill -KILL $(cat /var/run/docker/containerd/containerd.pid)"


def processes(witness: Witness, job: JobCalls, *names: str) -> list[str]:
    """Return the sidecar's processes of these names, each with its state and arguments."""
    found = witness.inside(witness.container(job.id, "dind"), "sh", "-c", _LOOK).splitlines()
    return [each for each in found if each.split()[0] in names]


def works(job: JobCalls) -> bool:
    """Tell whether a container runs in dind, of an image that is pulled for it."""
    return job.script("docker run --rm --pull=always alpine true").code == 0


@pytest.mark.parametrize("image", GENERATIONS[1:])
def test_other_generations_have_their_own(start: Start, witness: Witness, image: str) -> None:
    """Their dockerd does not wait for it, and starts it as ever."""
    job = start(JobRequest("docker:26.1-cli", services=[{"name": image}]))
    job.up()
    assert works(job)
    found = processes(witness, job, "containerd", "dockerd", "dind-executor")

    assert not any(" --containerd=" in each or each.startswith("dind-ex") for each in found)
    assert [each.split()[0] for each in found].count("containerd") == 1


def test_what_becomes_of_it(start: Start, witness: Witness) -> None:
    """One that dies comes back, and a sidecar that is told to end does so in good order."""
    job = start(JobRequest("docker:26.1-cli", services=[{"name": NEW}]))
    job.up()
    assert works(job)
    assert " --containerd=" in processes(witness, job, "dockerd")[-1]
    dind = witness.container(job.id, "dind")
    witness.inside(dind, "sh", "-c", _KILLED)
    eventually(lambda: works(job), "dind works again")
    found = processes(witness, job, "containerd", "dockerd")
    assert [each.split()[0] for each in found].count("containerd") == 1
    assert not any("State:\tZ" in each for each in found)
    assert "containerd has ended (exit code 137) and is started again" in witness.log(
        job.id, "dind"
    )

    dind.stop(timeout=10)
    dind.reload()
    assert (dind.attrs["State"]["ExitCode"], dind.attrs["State"]["OOMKilled"]) == (0, False)
    assert "Daemon shutdown complete" in witness.log(job.id, "dind")


def test_one_that_cannot_start(start: Start) -> None:
    """The sidecar ends, and the job log has what containerd said."""
    broken = (
        "printf '#!/bin/sh\\necho no luck today >&2\\nexit 3\\n' >/usr/local/bin/containerd;"
        " chmod +x /usr/local/bin/containerd; exec dockerd-entrypoint.sh"
    )
    service = {"name": NEW, "command": ["sh", "-c", broken]}
    job = start(JobRequest("docker:26.1-cli", services=[service]))
    job.up()
    assert_error(
        job.script("docker version"),
        SYSTEM_FAILURE,
        "The dind sidecar exited with code 1.",
        "no luck today",
        "containerd does not run (exit code 3): dockerd ends too",
    )


RESTARTS = {
    "by its number": (NEW, "kill -KILL $(cat /var/run/docker.pid)"),
    "in good order": (NEW, "kill $!"),
    "another generation": (GENERATIONS[1], "kill $!"),
}


@pytest.mark.family(3)
@pytest.mark.parametrize(("image", "ends"), RESTARTS.values(), ids=RESTARTS)
def test_a_dockerd_that_is_started_once_more(
    rig: Rig, start: Start, witness: Witness, image: str, ends: str
) -> None:
    """A service may end its dockerd and start it again: the second one works as the first."""
    twice = (
        "dockerd & until docker -H unix:///var/run/docker.sock version; do sleep 0.1; done"
        f" >/dev/null 2>&1; {ends}; wait; echo once more; exec dockerd"
    )
    service = {"name": image, "entrypoint": ["sh", "-c", twice]}
    job = start(JobRequest(rig.special("tools/docker-cli:1"), services=[service]))
    job.up()
    eventually(lambda: "once more" in witness.log(job.id, "dind"), "the first dockerd has ended")
    eventually(lambda: works(job), "the second dockerd works")
    found = processes(witness, job, "containerd", "dockerd")

    assert [each.split()[0] for each in found].count("containerd") == 1
    # dockerd as the first process does not reap what is not its own.
    assert image != NEW or not any("State:\tZ" in each for each in found)
