"""An engine on another host, with TLS and without."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from executor.engine.api import Api
from executor.errors import EngineUnavailable
from executor.spec import Certificates
from executor.stages.prepare.certificates import mint
from tests.engine.stub import (
    http,
)
from tests.patience import LONGEST_SECONDS


@pytest.mark.parametrize("host", ["tcp://127.0.0.1", "ssh://root@host", "tcp://127.0.0.1:x", ""])
def test_an_address_that_is_none(host: str) -> None:
    """The runner's own DOCKER_HOST may hold anything."""
    with pytest.raises(EngineUnavailable, match="The Docker Engine at"):
        Api(host).get("/_ping")


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
        thread.join(LONGEST_SECONDS)


def test_an_engine_behind_tls(tmp_path: Path) -> None:
    """Our certificates open an engine that asks for them."""
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
        with closing(api.connect(5)) as connection:
            kept_alive = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, every, times = (
                connection.getsockopt(socket.IPPROTO_TCP, each)
                for each in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )

    assert kept_alive
    assert idle + every * times <= 120


@pytest.mark.parametrize("missing", ["ca.pem", "cert.pem", "key.pem"])
def test_a_missing_certificate_is_named(tmp_path: Path, missing: str) -> None:
    """The administrator reads which file it is."""
    certificates = mint(("localhost",), 600)
    client = keep(tmp_path / "client", certificates, server=False)
    (client / missing).unlink()
    with tls_engine(keep(tmp_path / "server", certificates, server=True)) as port:
        api = Api(f"tcp://localhost:{port}", str(client), tls_verify=True)
        with pytest.raises(EngineUnavailable, match=f"{client} has no .*{missing}"):
            api.get("/version")
