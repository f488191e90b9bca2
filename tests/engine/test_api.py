"""HTTP to the engine: what arrives whole, and what every fault of the other end becomes."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.engine.api import Api
from executor.errors import EngineUnavailable
from executor.spec import Certificates
from executor.stages.prepare.certificates import mint
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
    refusal,
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "no such container"}', "no such container"),
        (b'{"other": 1}', ""),
        (b'["a"]', ""),
        (b" page not found\n", "page not found"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"", ""),
    ],
)
def test_a_refusal_has_the_engines_words(stub: StubEngine, body: bytes, message: str) -> None:
    """JSON as the engine sends it, text as a proxy does."""
    stub.on("GET", "/x", http(500, body))

    answer = stub.api().get("/x")

    assert (answer.ok, answer.message) == (False, message)


def test_a_request_says_all_that_the_engine_needs(stub: StubEngine) -> None:
    """The version leads the path, the body is JSON with its length, and one request is all."""
    stub.on("POST", "/x", http(201))
    api = stub.api()
    api.use_version("1.41")

    api.post("/x?name=a", {"Image": "\N{GREEK SMALL LETTER ALPHA}"})

    (received,) = stub.received
    assert (received.method, received.path) == ("POST", "/v1.41/x?name=a")
    assert received.json() == {"Image": "\N{GREEK SMALL LETTER ALPHA}"}
    assert received.headers["content-type"] == "application/json"
    assert received.headers["connection"] == "close"


def test_an_engine_that_says_nothing(stub: StubEngine) -> None:
    """A silence longer than the caller's patience is an engine that is not there."""
    done = threading.Event()

    def silent(_connection: Connection, _received: Received) -> None:
        done.wait(10)

    stub.on("GET", "/x", silent)

    with pytest.raises(EngineUnavailable, match="timed out"):
        stub.api().get("/x", timeout=0.05)
    done.set()


def test_nobody_listens(tmp_path: Path) -> None:
    """The sentence has the address, the cause and what to look at."""
    with pytest.raises(EngineUnavailable) as caught:
        Api(f"unix://{tmp_path}/nowhere.sock").get("/_ping")

    assert str(caught.value) == (
        f"Cannot talk to the Docker Engine at unix://{tmp_path}/nowhere.sock: No such file or"
        " directory. Is it running, and may the runner's user reach it?"
    )


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    """A daemon that died leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))

    with pytest.raises(EngineUnavailable, match="Connection refused"):
        Api(f"unix://{tmp_path}/dead.sock").get("/_ping")


@pytest.mark.parametrize("host", ["tcp://127.0.0.1", "ssh://root@host", "tcp://127.0.0.1:x", ""])
def test_an_address_that_is_none(host: str) -> None:
    """The runner's own DOCKER_HOST may hold anything."""
    with pytest.raises(EngineUnavailable, match="Cannot talk to the Docker Engine"):
        Api(host).get("/_ping")


def test_a_hijacked_stream_keeps_what_came_with_the_head(stub: StubEngine) -> None:
    """A first frame in the packet of the headers is part of the stream."""
    stub.on("POST", "/attach", UPGRADED + frame(1, b"first"))

    answer, reader = stub.api().hijack("/attach")

    with reader.socket:
        assert answer.status == 101
        assert reader.part(13) == frame(1, b"first")
        assert reader.some() == b""


def test_a_hijack_that_is_refused_closes_its_connection(stub: StubEngine) -> None:
    """The caller has the engine's words and nothing to close."""
    stub.on("POST", "/attach", refusal(409, "container is not running"))

    answer, reader = stub.api().hijack("/attach")

    assert (answer.ok, answer.message) == (False, "container is not running")
    assert reader.socket.fileno() == -1


def test_requests_of_many_threads_do_not_meet(stub: StubEngine) -> None:
    """Each request has a connection of its own."""

    def echo(connection: Connection, received: Received) -> None:
        connection.send(http(200, {"path": received.path}))

    stub.on("GET", "/", echo)
    api, found = stub.api(), {}

    def ask(number: int) -> None:
        found[number] = api.get(f"/{number}").json()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: {"path": f"/{number}"} for number in range(30)}


# --- TLS: a real one, on the loopback ---------------------------------------------------------


def keep(directory: Path, certificates: Certificates, *, server: bool) -> Path:
    """Write one side's files under the names that Docker gives them."""
    directory.mkdir(exist_ok=True)
    (directory / "ca.pem").write_bytes(certificates.ca)
    end = (
        (certificates.server, certificates.server_key)
        if server
        else (certificates.client, certificates.client_key)
    )
    (directory / "cert.pem").write_bytes(end[0])
    (directory / "key.pem").write_bytes(end[1])
    return directory


@contextmanager
def tls_engine(directory: Path) -> Iterator[int]:
    """Serve one answer after another over mutual TLS; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    context.load_verify_locations(directory / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(http(200, {"tls": secured.version()}))
            except OSError:
                continue
            finally:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def test_an_engine_behind_tls(tmp_path: Path) -> None:
    """Certificates of ours open an engine that asks for them."""
    certificates = mint(("localhost",), 600)
    client = keep(tmp_path / "client", certificates, server=False)
    with tls_engine(keep(tmp_path / "server", certificates, server=True)) as port:
        api = Api(f"tcp://localhost:{port}", str(client), tls_verify=True)

        assert api.get("/version").json() == {"tls": "TLSv1.3"}
        assert not api.local


def test_an_engine_with_a_certificate_of_another_authority(tmp_path: Path) -> None:
    """Where the certificate is to be verified, such an engine is refused."""
    client = keep(tmp_path / "client", mint(("localhost",), 600), server=False)
    server = keep(tmp_path / "server", mint(("localhost",), 600), server=True)
    with tls_engine(server) as port, pytest.raises(EngineUnavailable):
        Api(f"tcp://localhost:{port}", str(client), tls_verify=True).get("/version")


def test_an_engine_with_another_name(tmp_path: Path) -> None:
    """A name that is not in the certificate counts only where verifying is asked for."""
    certificates = mint(("elsewhere",), 600)
    client = str(keep(tmp_path / "client", certificates, server=False))
    with tls_engine(keep(tmp_path / "server", certificates, server=True)) as port:
        with pytest.raises(EngineUnavailable):
            Api(f"tcp://localhost:{port}", client, tls_verify=True).get("/version")

        assert Api(f"tcp://localhost:{port}", client).get("/version").ok


@pytest.mark.parametrize("tls", [False, True])
def test_an_engine_elsewhere_is_asked_whether_it_is_there(tmp_path: Path, *, tls: bool) -> None:
    """The stream of a silent script has no time-out, and its host may vanish without a word."""
    certificates = mint(("localhost",), 600)
    client = str(keep(tmp_path / "client", certificates, server=False))
    with tls_engine(keep(tmp_path / "server", certificates, server=True)) as port:
        host = f"tcp://localhost:{port}"
        api = Api(host, client, tls_verify=True) if tls else Api(host)
        with api.connect(5) as connection:
            kept_alive = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, every, times = (
                connection.getsockopt(socket.IPPROTO_TCP, each)
                for each in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )

    assert kept_alive
    assert idle + every * times <= 120


@pytest.mark.parametrize("missing", ["ca.pem", "cert.pem", "key.pem"])
def test_a_missing_certificate_is_named(tmp_path: Path, missing: str) -> None:
    """The operator reads which file it is."""
    certificates = mint(("localhost",), 600)
    client = keep(tmp_path / "client", certificates, server=False)
    (client / missing).unlink()
    with tls_engine(keep(tmp_path / "server", certificates, server=True)) as port:
        api = Api(f"tcp://localhost:{port}", str(client), tls_verify=True)
        with pytest.raises(EngineUnavailable, match=f"{client} lacks .*{missing}"):
            api.get("/version")
