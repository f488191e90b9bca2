"""HTTP to the Docker Engine over a unix or TCP socket: requests, streams and hijacked connections.

Why not the docker SDK: importing it takes longer than all that a `run` call does before the script
starts, its exec stream loses the first frame and its pulls hide errors (docs/decisions/0001).
Every request has a connection of its own, so that threads need no locks.
"""

import json
import socket
from collections.abc import Iterator

from executor.errors import EngineUnavailable

TIMEOUT_SECONDS = 120.0
"""The longest silence of the engine on an ordinary request."""

_CHUNK = 65536


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


class Api:
    """A Docker Engine at an address such as `unix:///var/run/docker.sock` or `tcp://host:2376`."""

    __slots__ = ("_prefix", "_tls_dir", "_tls_verify", "host")

    def __init__(self, host: str, tls_dir: str = "", *, tls_verify: bool = False) -> None:
        """Remember where the engine is; nothing is sent yet."""
        self.host = host
        self._tls_dir = tls_dir
        self._tls_verify = tls_verify
        self._prefix = ""

    @property
    def local(self) -> bool:
        """Tell whether the engine runs on this host, so that container addresses are in reach."""
        return self.host.startswith("unix://")

    def use_version(self, version: str) -> None:
        """Ask for one version of the API from now on, such as `1.41`."""
        self._prefix = f"/v{version}"

    def get(self, path: str, timeout: float = TIMEOUT_SECONDS) -> Answer:
        """Send a GET."""
        return self.send("GET", path, timeout=timeout)

    def post(self, path: str, body: object = None, timeout: float = TIMEOUT_SECONDS) -> Answer:
        """Send a POST with a JSON body."""
        return self.send("POST", path, _encoded(body), timeout=timeout)

    def delete(self, path: str) -> Answer:
        """Send a DELETE."""
        return self.send("DELETE", path)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Send a request and return the whole answer.

        Raises EngineUnavailable where there is no connection or it breaks.
        """
        connection = self._connect(timeout)
        try:
            head = _head(method, self._prefix + path, len(body), {"Content-Type": content_type})
            connection.sendall(head + body)
            reader = Reader(connection)
            status, headers = _read_head(reader)
            content = b"" if method == "HEAD" else b"".join(_content(reader, headers))
        except (OSError, ValueError) as error:
            raise self._broken(error) from None
        finally:
            connection.close()
        return Answer(status, headers, content)

    def stream(
        self, path: str, headers: dict[str, str], *, idle_seconds: float
    ) -> tuple[int, Iterator[bytes]]:
        """Send a POST whose answer comes bit by bit; return its status and the pieces.

        `idle_seconds` is the longest silence between two pieces; OSError says that it was longer.
        """
        connection = self._connect(idle_seconds)
        try:
            connection.sendall(_head("POST", self._prefix + path, 0, headers))
            reader = Reader(connection)
            status, answered = _read_head(reader)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._broken(error) from None
        return status, _closing(connection, _content(reader, answered))

    def hijack(self, path: str, body: object = None) -> tuple[Answer, Reader]:
        """Send a POST that turns the connection into a raw stream; the caller closes it.

        Where the engine refuses (status other than 101 or 200), the connection is closed already.
        """
        connection = self._connect(TIMEOUT_SECONDS)
        try:
            data = _encoded(body)
            headers = {
                "Content-Type": "application/json",
                "Connection": "Upgrade",
                "Upgrade": "tcp",
            }
            connection.sendall(_head("POST", self._prefix + path, len(data), headers) + data)
            reader = Reader(connection)
            status, answered = _read_head(reader)
            if status not in {101, 200}:
                content = b"".join(_content(reader, answered))
                connection.close()
                return Answer(status, answered, content), reader
            connection.settimeout(None)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._broken(error) from None
        return Answer(status, answered, b""), reader

    def _connect(self, timeout: float) -> socket.socket:
        try:
            if self.local:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                connection.settimeout(timeout)
                connection.connect(self.host.removeprefix("unix://"))
                return connection
            return self._connect_tcp(timeout)
        except OSError as error:
            raise self._broken(error) from None

    def _connect_tcp(self, timeout: float) -> socket.socket:
        name, _, port = self.host.removeprefix("tcp://").rpartition(":")
        connection = socket.create_connection((name.strip("[]"), int(port)), timeout)
        if not self._tls_dir and not self._tls_verify:
            return connection
        import ssl

        context = ssl.create_default_context(
            cafile=f"{self._tls_dir}/ca.pem" if self._tls_dir else None
        )
        if not self._tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._tls_dir:
            context.load_cert_chain(f"{self._tls_dir}/cert.pem", f"{self._tls_dir}/key.pem")
        return context.wrap_socket(connection, server_hostname=name.strip("[]"))

    def _broken(self, error: Exception) -> EngineUnavailable:
        reason = getattr(error, "strerror", None) or str(error)
        return EngineUnavailable(
            f"Cannot talk to the Docker Engine at {self.host}: {reason}. Is it running, and may"
            " the runner's user reach it?"
        )


def _encoded(body: object) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def _head(method: str, path: str, length: int, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: docker", f"Content-Length: {length}"]
    if "Connection" not in headers:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _read_head(reader: Reader) -> tuple[int, dict[str, str]]:
    first = reader.line().split(b" ", 2)
    if len(first) < 2:  # noqa: PLR2004
        raise ValueError("it closed the connection")
    headers: dict[str, str] = {}
    while (line := reader.line().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(first[1]), headers


def _content(reader: Reader, headers: dict[str, str]) -> Iterator[bytes]:
    """Yield the body piece by piece; ValueError where it ends too early."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int(reader.line().split(b";")[0].strip() or b"x", 16):
            data = reader.exactly(size)
            if len(data) < size:
                raise ValueError("the answer was cut off")
            yield data
            reader.line()
    elif "content-length" in headers:
        size = int(headers["content-length"])
        data = reader.exactly(size)
        if len(data) < size:
            raise ValueError("the answer was cut off")
        yield data
    else:
        while data := reader.some():
            yield data


def _closing(connection: socket.socket, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        connection.close()
