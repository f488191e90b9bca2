"""Whether a service accepts connections, and who is asked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from executor.services.health import Prober, connects, wait_for_service
from executor.services.health_check import HealthCheck
from tests.engine.stub import UPGRADED, Connection, Received, http, stub_engine

NAME = "dind-executor-1-ab-service-0"


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
        error = wait_for_service(api, check, Prober(api, "helper", lambda: None), 1)
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
def refusing() -> int:
    """Return a port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
    return port


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
