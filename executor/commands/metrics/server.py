"""Serves what is read, and changes nothing: few connections at a time, none for long, none for strangers.

The pages hold no secret, but what runs here is nobody's business elsewhere: a browser on this host
must not read them for a page of another site, whatever name that site gives this address.
"""

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

from executor.log import complain

MOST_CONNECTIONS = 16
LONGEST_SECONDS = 30.0
"""How long a connection may last."""
_READ_SECONDS = 5.0

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Answer(NamedTuple):
    """What is sent back."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = {}


Serve = Callable[[str, Mapping[str, str]], Answer]
"""From a path, decoded, and the request's headers to an answer."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return what `127.0.0.1:9477` or `[::1]:9477` names; raises ValueError."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004
            raise ValueError(text)
        return cls(host, int(port))


class Server(ThreadingHTTPServer):
    """A server of pages."""

    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: Address, serve: Serve, names: Collection[str] = ()) -> None:
        """Listen; `names` are those besides its own by which this host may be asked.  Raises OSError."""
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.serve = serve
        self.names = frozenset(each.lower() for each in ("localhost", os.uname().nodename, *names))
        self._begun: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__((address.host, address.port), _Handler)

    @property
    def url(self) -> str:
        """Return the address of the page."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def server_bind(self) -> None:
        """Listen, without asking who this address is: nobody may answer that."""
        TCPServer.server_bind(self)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Refuse a connection where there are too many; it is closed then."""
        del client_address
        with self._lock:
            if len(self._begun) >= MOST_CONNECTIONS or not isinstance(request, socket.socket):
                return False
            self._begun[request] = time.monotonic()
            return True

    def service_actions(self) -> None:
        """End connections that last too long: called twice a second."""
        now = time.monotonic()
        with self._lock:
            late = [each for each, begun in self._begun.items() if now - begun > LONGEST_SECONDS]
        for each in late:
            _end(each)

    def shutdown_request(self, request: object) -> None:
        """Forget a connection that ends."""
        with self._lock:
            if isinstance(request, socket.socket):
                self._begun.pop(request, None)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that has hung up is no news, and there is nobody to tell."""


class _Handler(BaseHTTPRequestHandler):
    timeout: ClassVar[float | None] = _READ_SECONDS
    server_version, sys_version = "dind-executor", ""

    def do_GET(self) -> None:
        """Answer, with the body only where it is asked for."""
        answer = self._answer()
        self.send_response(answer.status)
        headers = {
            **_HEADERS,
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 (as http.server wants it)

    def _answer(self) -> Answer:
        assert isinstance(self.server, Server)  # noqa: S101 (for the type checker)
        headers = {name.lower(): value for name, value in self.headers.items()}
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not is_known(hosts[0], self.server.names):
            return Answer(
                b"This address is not known by that name: add it with --host.\n",
                status=HTTPStatus.MISDIRECTED_REQUEST,
            )
        if is_foreign(headers):
            return Answer(b"Not for pages of other sites.\n", status=HTTPStatus.FORBIDDEN)
        try:
            path = unquote(urlsplit(self.path).path)
        except ValueError:
            return Answer(b"There is no such page.\n", status=HTTPStatus.NOT_FOUND)
        try:
            return self.server.serve(path, headers)
        except Exception as error:  # noqa: BLE001 (one page that fails is not all of them)
            place = traceback.extract_tb(error.__traceback__)[-1]
            complain(f"{type(error).__name__} at {place.filename}:{place.lineno}: {error}")
            sentence = b"A fault of dind-executor: its log has the place.\n"
            return Answer(sentence, status=HTTPStatus.INTERNAL_SERVER_ERROR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is given)
        """Say nothing: a scrape every few seconds is no news."""


def is_known(host: str, names: Collection[str]) -> bool:
    """Tell whether a Host header names this host: by an address, or by one of its names.

    Another name that leads here is somebody's who makes a browser read for him (DNS rebinding).
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in names or _is_address(name)


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser asks for a page of another site, other than by following a link."""
    site = headers.get("sec-fetch-site", "none")
    is_link = (
        headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
    return site not in {"none", "same-origin"} and not is_link


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except (OSError, ValueError):
            continue
        return True
    return False


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
