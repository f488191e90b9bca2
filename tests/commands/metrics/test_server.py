"""Who is served, who is not, and that nobody keeps the others waiting."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

import pytest

from executor.commands.metrics import server as module
from executor.commands.metrics.server import Address, Answer, Server, is_foreign, is_known
from tests.patience import LONGEST_SECONDS


def serve(path: str, headers: Mapping[str, str]) -> Answer:
    """Say what was asked for."""
    if path == "/wrong":
        raise KeyError(path)
    return Answer(f"{path} {headers.get('accept', '')}".encode())


@contextmanager
def serving(host: str = "127.0.0.1", *names: str) -> Iterator[Server]:
    """Serve in a thread until the block ends."""
    server = Server(Address(host, 0), serve, names)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(
    server: Server, path: str = "/", method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    host, port = str(server.server_address[0]), int(server.server_address[1])
    connection = HTTPConnection(host, port, timeout=LONGEST_SECONDS)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def wait(condition: Callable[[], bool]) -> None:
    """Wait until something is so; fail where it does not come."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_page_is_served() -> None:
    """With what a browser must not do with it, and without saying what serves it."""
    with serving() as server:
        response, body = ask(server, "/a%20b?query", Accept="x")

    assert (response.status, body) == (200, b"/a b x")
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Server"].strip() == "dind-executor"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_head_has_no_body() -> None:
    """The length is that of the page."""
    with serving() as server:
        response, body = ask(server, "/abc", "HEAD")

    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "5")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_can_be_changed(method: str) -> None:
    """There are no other methods."""
    with serving() as server:
        response, _ = ask(server, "/", method)

    assert response.status == HTTPStatus.NOT_IMPLEMENTED


def test_a_page_that_fails(capfd: pytest.CaptureFixture[str]) -> None:
    """The administrator is told where, and the next page is served."""
    with serving() as server:
        status = [ask(server, path)[0].status for path in ("/wrong", "/right")]

    assert status == [HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.OK]
    assert "KeyError at " in capfd.readouterr().err


def test_a_path_that_is_none() -> None:
    """What cannot be read as a path is not found."""
    with (
        serving() as server,
        socket.create_connection(server.server_address[:2]) as bare,  # type: ignore[arg-type]
    ):
        bare.sendall(b"GET http://[::1 HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = bare.makefile("rb").readline()

    assert b"404" in answer


def test_another_name_leads_nowhere() -> None:
    """A site whose name is changed to this address gets nothing, and neither does one without a name."""
    with serving("127.0.0.1", "Runner.Example") as server:
        status = [ask(server, Host=each)[0].status for each in ("evil.example", "runner.example:1")]
        with socket.create_connection(server.server_address[:2]) as bare:  # type: ignore[arg-type]
            bare.sendall(b"GET / HTTP/1.0\r\n\r\n")
            without = bare.makefile("rb").readline()

    assert status == [HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.OK]
    assert b"421" in without


def test_two_names_are_one_too_many() -> None:
    """What stands between might have looked at the other one."""
    with (
        serving() as server,
        socket.create_connection(server.server_address[:2]) as bare,  # type: ignore[arg-type]
    ):
        bare.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        answer = bare.makefile("rb").readline()

    assert b"421" in answer


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:9477", True),
        ("LOCALHOST", True),
        ("127.0.0.1:9477", True),
        ("[::1]:9477", True),
        ("192.0.2.7", True),
        ("runner-1:9477", True),
        ("runner-1.evil.example", False),
        ("evil.example:9477", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("user@evil.example", False),
        ("localhost@evil.example", False),
        ("", False),
        ("[::1", False),
        ("127.1", False),
    ],
)
def test_names_of_this_host(host: str, *, known: bool) -> None:
    """Addresses are of nobody's choosing; of names only those that were given."""
    assert is_known(host, {"localhost", "runner-1"}) is known


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, True),
        (
            {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "document",
            },
            False,
        ),
        (
            {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "iframe",
            },
            True,
        ),
    ],
)
def test_pages_of_other_sites(headers: dict[str, str], *, foreign: bool) -> None:
    """They may link here, and read or show nothing."""
    assert is_foreign(headers) is foreign
    if foreign:
        with serving() as server:
            response, body = ask(server, **headers)
        assert (response.status, b"/" in body) == (HTTPStatus.FORBIDDEN, False)


def test_ipv6() -> None:
    """The address has brackets, in what is said too."""
    with serving("::1") as server:
        response, _ = ask(server)
        assert server.url == f"http://[::1]:{server.server_address[1]}/"

    assert response.status == HTTPStatus.OK


def test_few_connections_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes when all are taken is refused, and is served when one has ended."""
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 3)
    with serving() as server, ExitStack() as stack:
        address = (str(server.server_address[0]), int(server.server_address[1]))
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(3)]
        wait(lambda: len(server._begun) == 3)
        late = stack.enter_context(socket.create_connection(address))
        assert late.makefile("rb").read() == b""
        for each in idle:
            each.close()
        wait(lambda: not server._begun)

        assert ask(server)[0].status == HTTPStatus.OK


def test_a_connection_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly somebody speaks, it does not last."""
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.0)
    with serving() as server, socket.create_connection(server.server_address[:2]) as bare:  # type: ignore[arg-type]
        bare.sendall(b"GET / HT")

        assert bare.makefile("rb").read() == b""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9477", ("127.0.0.1", 9477)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:0", ("localhost", 0)),
        (":9477", ("", 9477)),
    ],
)
def test_an_address(text: str, address: tuple[str, int]) -> None:
    """IPv6 has brackets; nothing before the colon stands for all addresses."""
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", ["", "9477", "a:b", "127.0.0.1:", "a:65536", "a:-1", "a:²"])
def test_an_address_that_is_none(text: str) -> None:
    """A port belongs to it."""
    with pytest.raises(ValueError, match=r"^"):
        Address.parse(text)
