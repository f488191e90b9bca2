"""HTTP for the tests' own servers and questions: requests and answers as data, no proxies."""

import base64
import binascii
import contextlib
import json
import select
import socket
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.rig.authority import Certificates


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    connection: socket.socket | None = field(default=None, compare=False, repr=False)

    @property
    def is_given_up(self) -> bool:
        """Whether whoever asked has hung up, as the kernel does for one that is killed."""
        if self.connection is None:
            return False
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    def json(self) -> dict[str, object]:
        """Return the body's object."""
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise TypeError(f"{self.method} {self.path}: an object is expected")
        return value

    @property
    def login(self) -> tuple[str, str]:
        """The user and password of basic authentication, empty without any."""
        _, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def login_needed(realm: str) -> Answer:
    """Return the answer that asks for a user and a password."""
    headers = {"WWW-Authenticate": f'Basic realm="{realm}"'}
    return Answer(HTTPStatus.UNAUTHORIZED, b"HTTP Basic: Access denied\n", headers)


class Server(ThreadingHTTPServer):
    """Answers each request by a function, which threads call; with certificates, over TLS."""

    daemon_threads = True
    # Of more connections at once than wait here, each would try again after a second.
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Request], Answer],
        certificates: Certificates | None = None,
    ) -> None:
        """Listen on an address; port 0 means any free one."""
        super().__init__(address, _Handler)
        self.answer = answer
        # How many connections are open, how many were at most, and how many there ever were.
        self.open = self.most_open = self.opened = 0
        self._counting = threading.Lock()
        # What the time is here: the header `Date` says it.
        self.clock: Callable[[], float] = time.time
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.certificate, certificates.key)
            # Hands are shaken by the thread of the connection, not by the one that accepts all.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def process_request(self, request: object, client_address: object) -> None:
        """Count a connection, and have a thread answer on it."""
        with self._counting:
            self.open += 1
            self.opened += 1
            self.most_open = max(self.most_open, self.open)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """Count a connection no longer, and end it."""
        with self._counting:
            self.open -= 1
        super().shutdown_request(request)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a client that has hung up, as one does that ends while it waits."""
        if not isinstance(sys.exception(), (ConnectionError, ssl.SSLEOFError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve in a thread until the block ends."""
        # It looks as often whether it is to end, which is what a test waits for at its end.
        thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A body is sent behind its header, and would wait 40 ms for the header to be acknowledged.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        assert isinstance(self.server, Server)
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        request = Request(self.command, target.path, target.query, headers, body, self.connection)
        answer = self.server.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(headers.get("content-length", "0")))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the server's own time."""
        assert isinstance(self.server, Server)
        return super().date_time_string(self.server.clock() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is given)
        """Say nothing: who asked tells in a log of its own."""


def direct(ca: Path | None = None) -> urllib.request.OpenerDirector:
    """Return what asks without a proxy; with an authority, over HTTPS too."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if ca is not None:
        context = ssl.create_default_context(cafile=str(ca))
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)
