"""Which ports tell that a service is up, who is asked, and what the job log says."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from executor.services.health import (
    HealthCheck,
    Prober,
    connects,
    exposed_ports,
    health_check,
    health_warning,
    wait_for_service,
)
from executor.spec import ContainerSpec, ImageFacts
from tests.engine.stub import UPGRADED, Connection, Received, http, stub_engine
from tests.limited import limited
from tests.sockets import held_port

NAME = "dind-executor-1-ab-service-0"
IMAGE = ImageFacts("sha256:1", ports=("5432/tcp",))


def test_a_helper_that_does_not_answer_in_time(tmp_path: Path) -> None:
    """`wait_for_services_timeout` holds for the helper too: ports may swallow what is asked."""
    running = {
        "State": {"Running": True, "ExitCode": 0},
        "NetworkSettings": {"Networks": {"n": {"IPAddress": "255.255.255.255"}}},
    }
    over = threading.Event()

    def asking(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        over.wait(60)

    with stub_engine(tmp_path) as stub:
        stub.on("GET", "/containers/.*/json", http(200, running))
        stub.on("POST", "/containers/helper/exec", http(201, {"Id": "1"}))
        stub.on("POST", "/exec/1/start", asking)
        stub.on("GET", "/exec/1/json", http(200, {"Running": True, "ExitCode": None}))
        api = stub.engine()
        check = HealthCheck(NAME, "postgres:16", (5432,))
        error = wait_for_service(api, check, Prober(api, "helper", lambda: None, in_reach=True), 1)
        assert not over.is_set()
        over.set()

    assert error == (
        'service "postgres:16" timeout: nothing accepts connections on its port 5432 after 1 seconds'
    )


@pytest.fixture
def listening() -> Iterator[int]:
    """Return a port that accepts connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing() -> Iterator[int]:
    """Return a port that nothing listens on."""
    with held_port() as held:
        yield held.getsockname()[1]


def test_one_port_that_accepts_is_enough(listening: int, refusing: int) -> None:
    """The order of the ports does not matter."""
    assert connects("127.0.0.1", (refusing, listening)) is True
    assert connects("127.0.0.1", (listening, refusing)) is True


def test_a_port_that_refuses_is_in_reach(refusing: int) -> None:
    """The port may accept connections later, so it is asked again."""
    assert connects("127.0.0.1", (refusing,)) is False


@pytest.mark.parametrize("address", ["255.255.255.255", "not-an-address.invalid"])
def test_an_address_out_of_reach(address: str) -> None:
    """The runner cannot tell then, and somebody else has to ask."""
    assert connects(address, (80,)) is None


def a_check(
    environment: dict[str, str] | None = None,
    secret: dict[str, str] | None = None,
    image: ImageFacts = IMAGE,
) -> HealthCheck:
    """Return the check of a service with these variables."""
    spec = ContainerSpec(
        name=NAME,
        image="postgres:16",
        labels={},
        network="n",
        environment=environment or {},
        secret_environment=secret or {},
    )
    return health_check(spec, image, "postgres:16")


@pytest.mark.parametrize(
    ("exposed", "expected"),
    [
        ((), ()),
        (("80/tcp",), (80,)),
        (("8080",), (8080,)),
        (("443/tcp", "80/tcp", "53/udp", "9/sctp"), (80, 443)),
        (("8002-8004/tcp", "8003/tcp"), (8002, 8003, 8004)),
        (tuple(f"{port}/tcp" for port in range(9025, 9000, -1)), tuple(range(9001, 9021))),
        (("1-65535/tcp",), tuple(range(1, 21))),
        (("", "x/tcp", "-/tcp"), ()),
        (("0/tcp", "65535/tcp", "65536/tcp", "9-8/tcp"), (65535,)),
        (("65530-65536/tcp", "80-90000/tcp"), ()),
        ((f"{'9' * 5000}/tcp", f"1-{'9' * 5000}/tcp", "\N{SUPERSCRIPT TWO}/tcp"), ()),
        (("65530-65535/tcp",), tuple(range(65530, 65536))),
    ],
)
def test_the_ports_of_an_image(exposed: tuple[str, ...], expected: tuple[int, ...]) -> None:
    """Only TCP ports count: the lowest twenty, in order; what is above 65535 is no port."""
    assert exposed_ports(exposed) == expected


def test_an_image_with_more_ports_than_there_are() -> None:
    """The end of a range is its author's choice: it costs no memory."""
    shown = limited("""
from executor.services.health import exposed_ports
print(exposed_ports(["1-400000000/tcp", *(f"{first}-65535/tcp" for first in range(1, 9000))]))
""")

    assert shown == f"{tuple(range(1, 21))}\n"


@pytest.mark.parametrize(
    ("environment", "secret", "image", "ports"),
    [
        ({}, {}, IMAGE, (5432,)),
        ({"HEALTHCHECK_TCP_PORT": "80"}, {}, IMAGE, (80,)),
        ({"healthcheck_tcp_Port": "80"}, {}, IMAGE, (80,)),
        ({}, {"HEALTHCHECK_TCP_PORT": "80"}, IMAGE, (80,)),
        ({}, {}, ImageFacts("i", environment=("PATH=/", "HEALTHCHECK_TCP_PORT=81")), (81,)),
        (
            {"HEALTHCHECK_TCP_PORT": "80"},
            {},
            ImageFacts("i", environment=("HEALTHCHECK_TCP_PORT=81",)),
            (80,),
        ),
        ({}, {}, ImageFacts("i"), ()),
    ],
)
def test_the_port_that_a_variable_names(
    environment: dict[str, str], secret: dict[str, str], image: ImageFacts, ports: tuple[int, ...]
) -> None:
    """The variable of the service wins over that of its image, and only its port is asked."""
    assert a_check(environment, secret, image) == HealthCheck(NAME, "postgres:16", ports)


@pytest.mark.parametrize("port", ["", "http", "-1", "0", "65536", "1.5"])
def test_a_port_that_is_none(port: str) -> None:
    """It is said, in gitlab-runner's words, and the job goes on."""
    assert a_check({"HEALTHCHECK_TCP_PORT": port}).mistake == (
        f"invalid health check tcp port: {port}"
    )


def test_a_port_of_thousands_of_digits() -> None:
    """It is said, and only a part of it is shown."""
    mistake = a_check({"HEALTHCHECK_TCP_PORT": "9" * 5000}).mistake

    assert mistake.startswith("invalid health check tcp port: 999")
    assert len(mistake) < 300


def test_the_warning() -> None:
    """The warning is gitlab-runner's block, as people and log searches know it."""
    text = health_warning(HealthCheck(NAME, "postgres:16"), "the error", "first\nsecond")

    assert text == (
        f"\n\033[0;33m*** WARNING:\033[0;m Service {NAME} probably didn't start properly.\n"
        "\nHealth check error:\nthe error\n"
        "\nService container logs:\nfirst\nsecond\n"
        "\n\033[0;33m*********\033[0;m\n\n"
    )
