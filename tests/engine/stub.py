"""An engine for faults that a real one cannot be made to show: an HTTP daemon on a unix socket."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from executor.engine.api import Api
from executor.engine.docker import Engine
from tests.patience import LONGEST_SECONDS
from tests.sockets import Listener, on_unix

UPGRADED = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)
HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """Return the decoded body."""
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded


class Connection:
    """The engine's end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        """Talk over `connection`."""
        self.socket = connection
        self.file = connection.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        """Send bytes, each piece in a packet of its own."""
        for piece in pieces:
            self.socket.sendall(piece)

    def close(self) -> None:
        """Close at once."""
        self.file.close()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


Answer = bytes | Callable[[Connection, Received], None]
"""What is sent, after which the connection is closed; or a function that does both."""


def http(status: int, body: object = None, **headers: str) -> bytes:
    """Return a whole answer with a JSON body."""
    content = (
        b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    )
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {each}" for name, each in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def refusal(status: int, message: str) -> bytes:
    """Return an answer in the engine's own form of an error."""
    return http(status, {"message": message})


def chunked(*pieces: bytes, status: int = 200, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return an answer in chunks; `end` may be missing as if the engine had died."""
    head = f"HTTP/1.1 {status} OK\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + end


def events(*found: object) -> bytes:
    """Return a stream of JSON objects, one a line, as a pull has it."""
    return chunked(*(json.dumps(each).encode() + b"\r\n" for each in found))


def frame(descriptor: int, data: bytes) -> bytes:
    """Return a frame of a container's output."""
    return bytes([descriptor, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def endless(first: bytes, piece: bytes) -> Callable[[Connection, Received], None]:
    """Return an answer that goes on until nobody reads it."""

    def answer(connection: Connection, _received: Received) -> None:
        connection.send(first)
        with suppress(OSError):
            while True:
                connection.send(piece)

    return answer


def trickling(first: bytes, piece: bytes) -> Callable[[Connection, Received], None]:
    """Return an answer that goes on like this, slowly, before any silence gets too long."""

    def answer(connection: Connection, _received: Received) -> None:
        connection.send(first)
        connection.socket.settimeout(0.02)
        with suppress(BrokenPipeError):
            while True:
                connection.send(piece)
                with suppress(TimeoutError):
                    connection.socket.recv(1)

    return answer


CREATED = http(201, {"Id": "the-exec"})
"""The answer to a request for an exec."""


@dataclass
class StubEngine:
    """Answers what it was told to answer, and keeps what it was asked."""

    path: Path
    received: list[Received] = field(default_factory=list)
    reads_bodies: bool = True
    """Else an answer may read the body, or leave it."""

    def __post_init__(self) -> None:
        """Listen."""
        self._routes: list[tuple[str, re.Pattern[str], list[Answer]]] = []
        self._faults: list[BaseException] = []
        self._lock = threading.Lock()
        self._listener = Listener(on_unix(self.path), self._serve)

    @property
    def host(self) -> str:
        """Return the address for DOCKER_HOST."""
        return f"unix://{self.path}"

    def api(self) -> Api:
        """Return a client of this."""
        return Api(self.host)

    def engine(self) -> Engine:
        """Return the engine as the stages see it; nothing is agreed on yet."""
        return Engine(self.api())

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer requests whose path matches; the last answer stays."""
        self._routes.insert(0, (method, re.compile(path), list(answers)))

    def asked(self, method: str, path: str) -> list[Received]:
        """Return the requests of one kind."""
        return [
            each for each in self.received if each.method == method and re.search(path, each.path)
        ]

    def settle(self) -> None:
        """Return once all connections are at their end: what an answer noted of them is whole then.

        The client's side of them must have ended.
        """
        for thread in self._listener.threads[1:]:
            thread.join(LONGEST_SECONDS)
            assert not thread.is_alive(), "an answer does not end"

    def close(self) -> None:
        """Stop listening; raises what went wrong in an answer."""
        self._listener.close()
        for thread in self._listener.threads:
            thread.join(LONGEST_SECONDS)
        if self._faults:
            raise self._faults[0]

    def _serve(self, connection: socket.socket) -> None:
        there = Connection(connection)
        try:
            received = self._read(there)
            if received is None:
                return
            answer = self.choose(received)
            if callable(answer):
                answer(there, received)
            else:
                there.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client had enough
        except BaseException as fault:  # noqa: BLE001 (raised by close)
            self._faults.append(fault)
        finally:
            there.close()

    def _read(self, there: Connection) -> Received | None:
        first = there.file.readline().decode().split()
        if not first:
            return None
        headers: dict[str, str] = {}
        while line := there.file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = _body(there, headers) if self.reads_bodies else b""
        received = Received(first[0], first[1], headers, body)
        with self._lock:
            self.received.append(received)
        return received

    def choose(self, received: Received) -> Answer:
        """Return the answer to a request."""
        with self._lock:
            for method, path, answers in self._routes:
                if method == received.method and path.search(unquote(received.path)):
                    return answers.pop(0) if len(answers) > 1 else answers[0]
        return refusal(404, f"the stub has no answer to {received.method} {received.path}")


def _body(there: Connection, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return there.file.read(int(headers.get("content-length", "0")))
    body = b""
    while size := int(there.file.readline() or b"0", 16):
        body += there.file.read(size)
        there.file.readline()
    return body


@contextmanager
def stub_engine(directory: Path) -> Iterator[StubEngine]:
    """Yield an engine that stops afterwards."""
    engine = StubEngine(directory / "engine.sock")
    try:
        yield engine
    finally:
        engine.close()


def byte_by_byte(data: bytes) -> Iterable[bytes]:
    """Return every byte alone."""
    return (data[at : at + 1] for at in range(len(data)))
