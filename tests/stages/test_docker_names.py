"""By which names and addresses a job reaches its sidecar, and with which keys."""

import pytest

from tests.generations import NEW, OLD
from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness

CLIENT = "tools/docker-cli:1"
TLS = (
    Variable("DOCKER_HOST", "tcp://docker:2376"),
    Variable("DOCKER_TLS_CERTDIR", "/certs"),
    Variable("DOCKER_TLS_VERIFY", "1"),
    Variable("DOCKER_CERT_PATH", "/certs/client"),
)
ASK = "docker version --format 'server {{.Server.Version}}'"
ADDRESS = "$(getent ahostsv4 docker | head -n 1 | cut -d ' ' -f 1)"
"""The sidecar's, as a script finds it."""


@pytest.mark.family(2)
@pytest.mark.parametrize("image", [NEW, OLD])
def test_the_certificate_has_names_and_addresses(
    rig: Rig, start: Start, witness: Witness, image: str
) -> None:
    """A client that verifies accepts `docker` by its address, its own names, and what the job adds."""
    added = "DNS:engine.ci, IP:192.0.2.7,DNS:*.any.ci"
    service = {"name": image, "variables": [Variable("DOCKER_TLS_SAN", added).payload()]}
    job = start(JobRequest(rig.special(CLIENT), services=[service], variables=TLS))
    job.up()
    commands = [
        f'DOCKER_HOST="tcp://{ADDRESS}:2376" {ASK}',
        f'DOCKER_HOST="tcp://$(set -- $(getent hosts {ADDRESS}); echo $2):2376" {ASK}',
        f'echo "{ADDRESS} engine.ci a.any.ci other.ci" >>/etc/hosts',
        f"DOCKER_HOST=tcp://engine.ci:2376 {ASK}",
        f"DOCKER_HOST=tcp://a.any.ci:2376 {ASK}",
        f"DOCKER_HOST=tcp://$(docker run --rm --network host alpine hostname):2376 {ASK}",
        f"DOCKER_HOST=tcp://other.ci:2376 {ASK} || echo refused",
    ]
    output = job.script(*commands).passed().output
    assert output.count("\nserver 2") == 5, output
    assert "\nrefused\n" in output
    (address,) = witness.container(job.id, "dind").attrs["NetworkSettings"]["Networks"].values()
    certificate = witness.inside(
        witness.container(job.id, "dind"),
        *("openssl", "x509", "-in", "/certs/server/cert.pem", "-noout", "-ext", "subjectAltName"),
    )
    assert f"IP Address:{address['IPAddress']}" in certificate
    assert "IP Address:192.0.2.7" in certificate


def test_what_is_no_name_is_said(start: Start) -> None:
    """The certificate goes without, and the job goes on."""
    variables = [Variable("DOCKER_TLS_SAN", "engine.ci")]
    job = start(JobRequest("docker:26.1-cli", services=[{"name": NEW}], variables=variables))
    job.config().passed()
    prepare = job.prepare().passed()
    assert "WARNING: DOCKER_TLS_SAN: not added to the certificate of Docker: engine.ci." in (
        prepare.output
    )


@pytest.mark.family(2)
@pytest.mark.parametrize(
    ("host", "image"), [("tcp://dind:2375", NEW), ("tcp://Docker-Engine:2375/", OLD)]
)
def test_a_listed_dind_is_reached_by_the_name_in_docker_host(
    rig: Rig, start: Start, host: str, image: str
) -> None:
    """The author forgot the alias, and nobody else has the name."""
    variables = [Variable("DOCKER_HOST", host)]
    job = start(JobRequest(rig.special(CLIENT), services=[{"name": image}], variables=variables))
    job.up()
    assert "\nserver 2" in job.script(ASK).passed().output


def test_a_name_of_somebody_else_stays_theirs(rig: Rig, start: Start, witness: Witness) -> None:
    """What a service is called, or the administrator's line names, never leads to the sidecar."""
    services = [{"name": NEW}, {"name": rig.special("tools/web:1"), "alias": "swarm"}]
    for host, hosts in (("swarm", []), ("prod", [f"prod:{rig.address}"])):
        variables = [Variable("DOCKER_HOST", f"tcp://{host}:2375")]
        job = start(
            JobRequest(rig.special(CLIENT), services=services, variables=variables),
            {"docker": {"extra_hosts": hosts}},
        )
        job.up()
        assert job.script(ASK).code == BUILD_FAILURE
        networks = witness.container(job.id, "dind").attrs["NetworkSettings"]["Networks"]
        (network,) = networks.values()
        assert host not in network["Aliases"]


@pytest.mark.parametrize(
    ("host", "right"),
    [("tcp://localhost:2375", "tcp://docker:2375"), ("tcp://127.0.0.1:2376", "tcp://docker:2376")],
)
def test_a_job_that_asks_itself_reads_what_to_write(start: Start, host: str, right: str) -> None:
    """prepare says so, long before the script finds nobody there."""
    variables = [Variable("DOCKER_HOST", host)]
    job = start(JobRequest("docker:26.1-cli", services=[{"name": NEW}], variables=variables))
    job.config().passed()
    prepare = job.prepare().passed()
    assert "which is the build container itself" in prepare.output
    assert f"write `DOCKER_HOST: {right}`" in prepare.output


@pytest.mark.parametrize("image", [NEW, OLD])
def test_keys_for_clients_that_read_rsa_alone(start: Start, image: str) -> None:
    """With the setting a reader of RSA keys reads the client's, and Docker's own client works."""
    job = start(
        JobRequest("docker:26.1-dind", services=[{"name": image}], variables=TLS),
        {"dind": {"certificate_key": "rsa"}},
    )
    job.up()
    script = ("openssl rsa -in /certs/client/key.pem -noout -check", ASK)
    output = job.script(*script).passed().output
    assert "RSA key ok" in output
    assert "\nserver 2" in output
