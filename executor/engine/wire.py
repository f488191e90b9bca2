"""The bytes of HTTP between us and the engine: heads, bodies, and what follows an upgrade."""

import _socket
import time
from _collections_abc import Iterable, Iterator

from executor.errors import EngineUnavailable
from executor.quick_json import loads

MOST_BYTES = 16 * 1024 * 1024
"""The longest answer that is kept whole, in bytes: a job has a say in what some of them hold."""

_CHUNK = 65536
_LONGEST_LINE = 65536
_MOST_HEADERS = 256
_MOST_LEFT = 1024 * 1024
"""How much of the rest of a stream is read, in bytes."""
_CUT_OFF = "the answer was cut off"
_NO_HTTP = "it does not speak HTTP"

_PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"


def quote(text: str, safe: str = "/") -> str:
    """Return a text as a part of an address; as `urllib.parse` has it, which is slow to import."""
    plain = _PLAIN + safe
    return "".join(
        [
            each if each in plain else "".join([f"%{byte:02X}" for byte in each.encode()])
            for each in text
        ]
    )


class Answer:
    """A whole answer of the engine."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keep status, headers (lower-case names) and body."""
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def ok(self) -> bool:
        """Tell whether the engine did what was asked, or had nothing to do (304)."""
        return self.status < 400  # noqa: PLR2004

    def json(self) -> object:
        """Decode the body; raises EngineUnavailable where the answer was cut off."""
        try:
            return loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            raise EngineUnavailable(
                "The Docker Engine's answer was cut off. Was the engine restarted? Retry the job."
            ) from None

    @property
    def message(self) -> str:
        """Return the engine's own words for a refusal."""
        from executor.engine.failures import words_of  # noqa: PLC0415 (a refusal is rare)

        return words_of(self.body)


def as_table(value: object) -> dict[str, object]:
    """Return a JSON object of an answer; empty where the answer has something else."""
    return value if isinstance(value, dict) else {}


class Reader:
    """Buffered reading of one connection; nothing that came with the headers is lost."""

    __slots__ = ("_buffer", "deadline", "socket")

    def __init__(self, connection: _socket.socket, seconds: float | None = None) -> None:
        """Read from `connection`, for `seconds` in all; None leaves it to the socket's own limit."""
        self.socket = connection
        self._buffer = b""
        self.deadline = None if seconds is None else time.monotonic() + seconds

    def some(self) -> bytes:
        """Return what is there, at least one byte; empty at the end of the stream."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        return self._receive()

    def part(self, most: int) -> bytes:
        """Return at least one byte and at most so many; empty at the end of the stream."""
        data = self.some()
        self._buffer = data[most:]
        return data[:most]

    def line(self) -> bytes:
        """Return the next line with its end; raises ValueError where it is too long for one."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise ValueError(_NO_HTTP)
            data = self._receive()
            if not data:
                end = len(self._buffer) - 1
                break
            self._buffer += data
        data, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        return data

    def finish(self, seconds: float) -> None:
        """End our side and wait until the other end took everything and closed its own; close.

        A TLS connection has no half to end; there, what was sent is on its way.
        """
        try:
            if not hasattr(self.socket, "context"):
                self.socket.shutdown(_socket.SHUT_WR)
                self.drain(seconds)
        except OSError:
            pass
        finally:
            self.socket.close()

    def drain(self, seconds: float) -> None:
        """Read to the end, for so long in all; close."""
        for _ in self.rest(seconds):
            pass

    def rest(self, seconds: float) -> Iterator[bytes]:
        """Yield what still comes, for so long in all, and no more than 1 MiB of it; close.

        What prints may be a job's own program, and never end.
        """
        self.deadline = time.monotonic() + seconds
        left = _MOST_LEFT
        try:
            while left > 0 and (data := self.part(left)):
                left -= len(data)
                yield data
        except OSError:
            pass
        finally:
            self.socket.close()

    def _receive(self) -> bytes:
        """Return what comes next; raises TimeoutError where the time for all is over."""
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self.socket.settimeout(left)
        return self.socket.recv(_CHUNK)


def request_head(method: str, path: str, length: int | None, headers: dict[str, str]) -> bytes:
    """Return what begins a request; without a length, its body comes in chunks."""
    body = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"{method} {path} HTTP/1.1", "Host: docker", body]
    if "Connection" not in headers:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def read_head(reader: Reader) -> tuple[int, dict[str, str]]:
    """Return status and headers (lower-case names); ValueError where they are none."""
    first = reader.line().split(b" ", 2)
    if len(first) < 2:  # noqa: PLR2004
        raise ValueError("it closed the connection")
    status = _number(first[1])
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = reader.line()
        if not line:
            raise ValueError(_CUT_OFF)
        if not line.strip():
            return status, headers
        name, _colon, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise ValueError(_NO_HTTP)


def read_body(reader: Reader, headers: dict[str, str]) -> Iterator[bytes]:
    """Yield the body piece by piece; ValueError where it ends too early."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := _chunk_size(reader):
            yield from _whole(reader, size)
            reader.line()
    elif "content-length" in headers:
        yield from _whole(reader, _number(headers["content-length"].encode()))
    else:
        while data := reader.some():
            yield data


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return a body as a whole; raises ValueError where it is longer than `MOST_BYTES`."""
    parts, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"its answer is longer than {MOST_BYTES} bytes")
        parts.append(piece)
    return b"".join(parts)


def _chunk_size(reader: Reader) -> int:
    line = reader.line()
    if not line.endswith(b"\n"):
        raise ValueError(_CUT_OFF)
    return _number(line.split(b";")[0].strip(), 16)


def _whole(reader: Reader, size: int) -> Iterator[bytes]:
    while size > 0:
        data = reader.part(size)
        if not data:
            raise ValueError(_CUT_OFF)
        size -= len(data)
        yield data


def _number(text: bytes, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ValueError(_NO_HTTP) from None
