"""An engine elsewhere: of another generation, reached over TCP, and with little room."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually

PORT = 2375


@contextmanager
def engine(rig: Rig, witness: Witness, size: str) -> Iterator[str]:
    """Run an engine in a container, with so much room for its data; yield its address."""
    command = ["--tls=false", *([f"--registry-mirror={rig.mirror}"] if rig.mirror else [])]
    container = witness.client.containers.run(
        "docker:26.1-dind",
        command,
        detach=True,
        privileged=True,
        runtime=rig.runtime,
        environment={"DOCKER_TLS_CERTDIR": ""},
        tmpfs={"/var/lib/docker": f"size={size}"},
        volumes={"/etc/docker/certs.d": {"bind": "/etc/docker/certs.d", "mode": "ro"}},
    )
    try:
        eventually(lambda: b"API listen on [::]" in container.logs(), "the engine listens")
        container.reload()
        yield f"tcp://{container.attrs['NetworkSettings']['Networks']['bridge']['IPAddress']}:{PORT}"
    finally:
        container.remove(force=True, v=True)


def on(host: str) -> Changes:
    """Return the settings for an engine that needs no wrapper around its runtime."""
    return {"docker": {"host": host}, "dind": {"runtime": "", "privileged": True}}


@pytest.fixture(autouse=True)
def _images(witness: Witness) -> None:
    """Have what the engines here are made of."""
    witness.client.images.pull("docker:26.1-dind")


def test_a_job_on_an_engine_over_tcp(rig: Rig, start: Start, witness: Witness) -> None:
    """A newer engine, whose containers are out of the runner's reach, does all the same."""
    with engine(rig, witness, "2g") as host:
        there = Witness(host)
        changes = on(host)
        address = {"mac_address": "02:42:ac:15:00:99"}
        job = start(
            JobRequest("docker:26.1-dind"), {**changes, "docker": {**changes["docker"], **address}}
        )
        try:
            said = job.up().output
            assert "Using docker image sha256:" in said
            run = "docker run --rm -v $CI_PROJECT_DIR:/src alpine cat /src/source.txt"
            call = job.script("docker version", run).passed()
            assert call.stdout.endswith("from the helper\n")
            seen = job.script("cat /sys/class/net/eth0/address").passed().stdout
            assert seen.endswith("02:42:ac:15:00:99\n")
            assert job.script("exit 42").code == 1
            assert job.exit_code == "42"
            assert len(there.containers(job.id)) == 3
            job.cleanup().passed()
            assert there.objects(job.id) == []
        finally:
            there.close()


def test_a_disk_that_is_full(rig: Rig, start: Start, witness: Witness) -> None:
    """The operator is told what is full, and what frees it; cleanup works all the same."""
    with engine(rig, witness, "120m") as host:
        there = Witness(host)
        job = start(JobRequest("docker:26.1-dind"), on(host))
        try:
            job.config().passed()
            call = job.prepare()
            assert call.code == SYSTEM_FAILURE, call.output
            assert "ERROR: The disk of the Docker Engine's host is full: " in call.stderr
            assert "no space left on device" in call.stderr
            assert "docker system prune" in call.stderr
            job.cleanup().passed()
            assert there.objects(job.id) == []
        finally:
            there.close()
