"""The bytes of HTTP between us and the engine: heads, bodies, and what follows an upgrade."""

import json
import socket
from collections.abc import Iterator

from executor.errors import EngineUnavailable

_CHUNK = 65536
_CUT_OFF = "the answer was cut off"


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
            return json.loads(self.body) if self.body else None
        except ValueError:
            raise EngineUnavailable("The Docker Engine's answer was cut off.") from None

    @property
    def message(self) -> str:
        """Return the engine's own words for a refusal."""
        try:
            decoded = json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace").strip()
        if isinstance(decoded, dict):
            return str(decoded.get("message", ""))
        return ""


def as_table(value: object) -> dict[str, object]:
    """Return a JSON object of an answer; empty where there is none, or something else."""
    return value if isinstance(value, dict) else {}


class Reader:
    """Buffered reading of one connection; nothing that came with the headers is lost."""

    __slots__ = ("_buffer", "socket")

    def __init__(self, connection: socket.socket) -> None:
        """Read from `connection`."""
        self.socket = connection
        self._buffer = b""

    def some(self) -> bytes:
        """Return what is there, at least one byte; empty at the end of the stream."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        return self.socket.recv(_CHUNK)

    def exactly(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end of the stream."""
        while len(self._buffer) < size:
            data = self.socket.recv(max(_CHUNK, size - len(self._buffer)))
            if not data:
                break
            self._buffer += data
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def line(self) -> bytes:
        """Return the next line with its end."""
        while (end := self._buffer.find(b"\n")) < 0:
            data = self.socket.recv(_CHUNK)
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
                self.socket.shutdown(socket.SHUT_WR)
                self.drain(seconds)
        except OSError:
            pass
        finally:
            self.socket.close()

    def drain(self, seconds: float) -> None:
        """Read to the end, waiting at most so long for each piece; close."""
        try:
            self.socket.settimeout(seconds)
            while self.some():
                pass
        except OSError:
            pass
        finally:
            self.socket.close()


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
    while (line := reader.line()).strip() != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if not line:
        raise ValueError(_CUT_OFF)
    return status, headers


def read_body(reader: Reader, headers: dict[str, str]) -> Iterator[bytes]:
    """Yield the body piece by piece; ValueError where it ends too early."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := _chunk_size(reader):
            yield _whole(reader, size)
            reader.line()
    elif "content-length" in headers:
        yield _whole(reader, _number(headers["content-length"].encode()))
    else:
        while data := reader.some():
            yield data


def _chunk_size(reader: Reader) -> int:
    line = reader.line()
    if not line.endswith(b"\n"):
        raise ValueError(_CUT_OFF)
    return _number(line.split(b";")[0].strip(), 16)


def _whole(reader: Reader, size: int) -> bytes:
    data = reader.exactly(size)
    if len(data) < size:
        raise ValueError(_CUT_OFF)
    return data


def _number(text: bytes, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ValueError("it does not speak HTTP") from None
