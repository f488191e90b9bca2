"""HTTP to the Docker Engine over a unix or TCP socket: requests, streams and hijacked connections.

Why not the docker SDK: importing it takes longer than all that a `run` call does before the script
starts, its exec stream loses the first frame and its pulls hide errors (docs/decisions/0001).
Every request has a connection of its own, so that threads need no locks.
"""

import json
import socket
from collections.abc import Iterable, Iterator

from executor.engine.wire import Answer, Reader, joined, read_body, read_head, request_head
from executor.errors import EngineUnavailable

TIMEOUT_SECONDS = 120.0
"""How long an ordinary request may take, with all of its answer."""

VOLUME_SECONDS = 300.0
"""The same where volumes are concerned: whatever has to do with them waits while the engine deletes
one, and some hold many files on a slow disk."""

_KEEPALIVE_SECONDS = 30
_KEEPALIVE_COUNT = 3


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
        """Send a request and return the whole answer, which may take `timeout` seconds in all.

        Raises EngineUnavailable where there is no connection or it breaks, and where the answer
        takes longer or is longer than `wire.MOST_BYTES`.
        """
        connection = self._connect(timeout)
        try:
            head = request_head(
                method, self._prefix + path, len(body), {"Content-Type": content_type}
            )
            connection.sendall(head + body)
            reader = Reader(connection, timeout)
            status, headers = read_head(reader)
            content = b"" if method == "HEAD" else joined(read_body(reader, headers))
        except (OSError, ValueError) as error:
            raise self._broken(error) from None
        finally:
            connection.close()
        return Answer(status, headers, content)

    def stream(
        self, path: str, headers: dict[str, str], *, idle_seconds: float, method: str = "POST"
    ) -> tuple[int, Iterator[bytes]]:
        """Send a request whose answer comes bit by bit; return its status and the pieces.

        `idle_seconds` is the longest silence between two pieces; OSError says that it was longer.
        """
        connection = self._connect(idle_seconds)
        try:
            connection.sendall(request_head(method, self._prefix + path, 0, headers))
            reader = Reader(connection, idle_seconds)
            status, answered = read_head(reader)
            reader.deadline = None
            connection.settimeout(idle_seconds)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._broken(error) from None
        return status, _closing(connection, read_body(reader, answered))

    def upload(self, path: str, pieces: Iterable[bytes], *, idle_seconds: float) -> Answer:
        """Send a POST whose body is an archive that comes piece by piece; return the whole answer.

        `idle_seconds` is the longest time that the engine may need for one piece, and for its
        answer.  Raises EngineUnavailable as `send` does, and what `pieces` raises but OSError;
        then the engine knows that it has not got everything.
        """
        connection = self._connect(idle_seconds)
        try:
            headers = {"Content-Type": "application/x-tar"}
            connection.sendall(request_head("POST", self._prefix + path, None, headers))
            try:
                for piece in pieces:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                connection.sendall(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # the engine has seen enough, and its answer says why
            reader = Reader(connection, idle_seconds)
            status, answered = read_head(reader)
            content = joined(read_body(reader, answered))
        except (OSError, ValueError) as error:
            raise self._broken(error) from None
        finally:
            connection.close()
        return Answer(status, answered, content)

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
            connection.sendall(request_head("POST", self._prefix + path, len(data), headers) + data)
            reader = Reader(connection, TIMEOUT_SECONDS)
            status, answered = read_head(reader)
            if status not in {101, 200}:
                content = joined(read_body(reader, answered))
                connection.close()
                return Answer(status, answered, content), reader
            reader.deadline = None
            connection.settimeout(None)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._broken(error) from None
        return Answer(status, answered, b""), reader

    def _connect(self, timeout: float) -> socket.socket:
        try:
            return self._connect_unix(timeout) if self.local else self._connect_tcp(timeout)
        except OSError as error:
            raise self._broken(error) from None

    def _connect_unix(self, timeout: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(self.host.removeprefix("unix://"))
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_tcp(self, timeout: float) -> socket.socket:
        scheme, _, address = self.host.partition("://")
        name, _, port = address.rpartition(":")
        if scheme != "tcp" or not port.isdecimal():
            # The settings are checked; $DOCKER_HOST of the runner's process comes as it is.
            raise OSError("the address is neither unix://path nor tcp://host:port")
        connection = socket.create_connection((name.strip("[]"), int(port)), timeout)
        _keep_alive(connection)
        if not self._tls_dir and not self._tls_verify:
            return connection
        try:
            return self._secured(connection, name)
        except BaseException:
            connection.close()
            raise

    def _secured(self, connection: socket.socket, name: str) -> socket.socket:
        import ssl

        directory = self._tls_dir
        try:
            context = ssl.create_default_context(
                cafile=f"{directory}/ca.pem" if directory else None
            )
            if directory:
                context.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
        except FileNotFoundError:
            raise OSError(f"{directory} lacks ca.pem, cert.pem or key.pem") from None
        if not self._tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname=name.strip("[]"))

    def _broken(self, error: Exception) -> EngineUnavailable:
        reason = getattr(error, "strerror", None) or str(error)
        return EngineUnavailable(
            f"Cannot talk to the Docker Engine at {self.host}: {reason}. Is it running, and may"
            " the runner's user reach it?"
        )


def _keep_alive(connection: socket.socket) -> None:
    """Have the kernel ask an idle other end whether it is there, and break off without an answer.

    A silent script has no time-out of its own, and firewalls forget connections without traffic.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        connection.setsockopt(socket.IPPROTO_TCP, option, _KEEPALIVE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_COUNT)


def _encoded(body: object) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def _closing(connection: socket.socket, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        connection.close()
