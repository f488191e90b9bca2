"""An engine elsewhere: of another generation, reached over TCP and TLS, and with little room."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.spec import Certificates
from executor.stages.prepare.certificates import mint
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually

PORT, TLS_PORT = 2375, 2376


@contextmanager
def engine(
    rig: Rig, witness: Witness, size: str, certificates: Certificates | None = None
) -> Iterator[str]:
    """Run an engine in a container, with so much room for its data; yield its address.

    One with certificates serves on the loopback, so that they can name it.
    """
    mirror = [f"--registry-mirror={rig.mirror}"] if rig.mirror else []
    container = witness.client.containers.create(
        "docker:26.1-dind",
        mirror if certificates else ["--tls=false", *mirror],
        privileged=True,
        runtime=rig.runtime,
        environment={"DOCKER_TLS_CERTDIR": "/certs" if certificates else ""},
        tmpfs={"/var/lib/docker": f"size={size}"},
        volumes={"/etc/docker/certs.d": {"bind": "/etc/docker/certs.d", "mode": "ro"}},
        ports={f"{TLS_PORT}/tcp": ("127.0.0.1", 0)} if certificates else {},
    )
    try:
        if certificates:
            container.put_archive("/", archive(certificates))
        container.start()
        eventually(lambda: b"API listen on [::]" in container.logs(), "the engine listens")
        container.reload()
        network = container.attrs["NetworkSettings"]
        if certificates:
            yield f"tcp://localhost:{network['Ports'][f'{TLS_PORT}/tcp'][0]['HostPort']}"
        else:
            yield f"tcp://{network['Networks']['bridge']['IPAddress']}:{PORT}"
    finally:
        container.remove(force=True, v=True)


def archive(certificates: Certificates) -> bytes:
    """Return the server's certificates as a tar of the files that dind's entrypoint looks for."""
    files = {
        "ca.pem": certificates.ca,
        "cert.pem": certificates.server,
        "key.pem": certificates.server_key,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"certs/server/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def keep_client(directory: Path, certificates: Certificates) -> None:
    """Write the client's certificates under the names that `tls_cert_path` speaks of."""
    (directory / "ca.pem").write_bytes(certificates.ca)
    (directory / "cert.pem").write_bytes(certificates.client)
    (directory / "key.pem").write_bytes(certificates.client_key)


def on(host: str) -> Changes:
    """Return the settings for an engine that needs no wrapper around its runtime."""
    return {"docker": {"host": host}, "dind": {"runtime": "", "privileged": True}}


@pytest.fixture(autouse=True)
def _images(witness: Witness) -> None:
    """Have what the engines here are made of."""
    witness.client.images.pull("docker:26.1-dind")


def test_a_job_on_an_engine_over_tcp(
    rig: Rig, start: Start, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer engine behind TLS, with containers out of the runner's reach, works the same."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        # the SDK of the witness would believe these and not its own authority
        monkeypatch.delenv(variable, raising=False)
    certificates = mint(("localhost",), 3600)
    keep_client(tmp_path, certificates)
    with engine(rig, witness, "2g", certificates) as host:
        there = Witness(host, tls_cert_path=tmp_path)
        changes = on(host)
        more = {
            "tls_cert_path": str(tmp_path),
            "tls_verify": True,
            "mac_address": "02:42:ac:15:00:99",
        }
        job = start(
            JobRequest("docker:26.1-dind"), {**changes, "docker": {**changes["docker"], **more}}
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
    """The administrator is told what is full and what frees it; cleanup works all the same."""
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
