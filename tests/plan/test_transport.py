"""How a job's Docker client reaches the sidecar."""

import pytest

from executor.errors import UnsupportedJobOption
from executor.plan.transport import Transport, leads_to_sidecar, optional_transport, transport

TLS = Transport(tls=True, cert_dir="/certs")

PLAIN = Transport(tls=False, cert_dir="")


@pytest.mark.parametrize(
    ("values", "own", "expected"),
    [
        ({}, {}, TLS),
        ({"DOCKER_TLS_CERTDIR": "/certs"}, {}, TLS),
        ({"DOCKER_HOST": "tcp://docker:2376", "DOCKER_TLS_CERTDIR": "/certs"}, {}, TLS),
        ({"DOCKER_HOST": "tcp://docker:2376"}, {}, TLS),
        ({"DOCKER_TLS_CERTDIR": "/other/place"}, {}, Transport(tls=True, cert_dir="/other/place")),
        ({"DOCKER_TLS_CERTDIR": ""}, {}, PLAIN),
        ({"DOCKER_TLS_CERTDIR": "", "DOCKER_HOST": "tcp://docker:2375"}, {}, PLAIN),
        ({"DOCKER_HOST": "tcp://docker:2375"}, {}, PLAIN),
        ({"DOCKER_HOST": "tcp://docker:2375/"}, {}, PLAIN),
        # an author who says both means the directory
        ({"DOCKER_TLS_CERTDIR": "/certs", "DOCKER_HOST": "tcp://docker:2375"}, {}, TLS),
        # a variable of the service itself counts more than one of the job
        ({}, {"DOCKER_TLS_CERTDIR": ""}, PLAIN),
        ({"DOCKER_TLS_CERTDIR": "/certs"}, {"DOCKER_TLS_CERTDIR": ""}, PLAIN),
        ({"DOCKER_TLS_CERTDIR": ""}, {"DOCKER_TLS_CERTDIR": "/certs"}, TLS),
        # an engine elsewhere is none of the sidecar's business
        ({"DOCKER_HOST": "unix:///var/run/docker.sock"}, {}, TLS),
    ],
)
def test_transports(values: dict[str, str], own: dict[str, str], expected: Transport) -> None:
    """TLS is used unless the job asks for plain TCP."""
    assert transport(values, own) == expected


@pytest.mark.parametrize(
    "directory", ["certs", "./certs", "/", "//", "/certs/../etc", "/a\n/b", "/a\0", " "]
)
def test_a_directory_that_is_none(directory: str) -> None:
    """A path that could lead elsewhere, or carry a second one, is refused."""
    with pytest.raises(UnsupportedJobOption, match="DOCKER_TLS_CERTDIR"):
        transport({"DOCKER_TLS_CERTDIR": directory}, {})


@pytest.mark.parametrize(
    ("host", "leads"),
    [
        ("tcp://docker:2375", True),
        ("tcp://Docker:2376/", True),
        ("tcp://docker", True),
        ("docker:2376", True),
        ("", False),
        ("tcp://localhost:2375", False),
        ("tcp://docker.corp.example:2376", False),
        ("ssh://docker@host", False),
        ("unix:///var/run/docker.sock", False),
        ("npipe:////./pipe/docker_engine", False),
    ],
)
def test_which_hosts_lead_to_the_sidecar(host: str, *, leads: bool) -> None:
    """Without a dind service, only the name `docker` does."""
    assert leads_to_sidecar(host) is leads


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, TLS),
        ({"DOCKER_TLS_CERTDIR": "certs"}, TLS),
        ({"DOCKER_TLS_CERTDIR": "/proc/certs"}, TLS),
        ({"DOCKER_TLS_CERTDIR": "$HOME/../certs"}, TLS),
        ({"DOCKER_TLS_CERTDIR": "/own"}, Transport(tls=True, cert_dir="/own")),
        ({"DOCKER_TLS_CERTDIR": ""}, PLAIN),
        ({"DOCKER_HOST": "tcp://prod.example:2375"}, TLS),
        # the administrator's word for all jobs
        ({"DOCKER_HOST": "tcp://docker:2375"}, PLAIN),
    ],
)
def test_transports_without_a_service(values: dict[str, str], expected: Transport) -> None:
    """What was meant for another job or another daemon is not obeyed, and refuses nothing."""
    assert optional_transport(values) == expected


def test_what_a_client_gets() -> None:
    """On both transports any image gets what Docker's client needs."""
    assert TLS.client_environment() == {
        "DOCKER_HOST": "tcp://docker:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/certs/client",
        "DOCKER_TLS_CERTDIR": "/certs",
    }
    assert PLAIN.client_environment() == {
        "DOCKER_HOST": "tcp://docker:2375",
        "DOCKER_TLS_CERTDIR": "",
    }
    assert Transport(tls=True, cert_dir="/a/").client_dir == "/a/client"
    assert Transport(tls=True, cert_dir="/a/").server_dir == "/a/server"
