"""HTTP to the Docker Engine over a unix or TCP socket: requests, streams and hijacked connections.

Why not the docker SDK: importing it takes longer than all that a `run` call does before the script
starts, its exec stream loses the first frame and its pulls hide errors (docs/decisions/0001).
Every request has a connection of its own, so that threads need no locks.

`_socket` is the part of `socket` that is needed: the rest, which is mostly names for numbers, takes a
tenth of the time that a `run` call has until its script leaves.
"""

import _socket

from executor.engine.wire import Answer, Reader, joined, read_body, read_head, request_head
from executor.errors import EngineUnavailable
from executor.quick_json import dumps

TIMEOUT_SECONDS = 120.0
"""How long an ordinary request may take, with all of its answer."""

VOLUME_SECONDS = 300.0
"""The same where volumes are concerned: whatever has to do with them waits while the engine deletes
one, and some hold many files on a slow disk."""


class Api:
    """A Docker Engine at an address such as `unix:///var/run/docker.sock` or `tcp://host:2376`."""

    __slots__ = ("_tls_dir", "_tls_verify", "host", "info", "prefix")

    def __init__(self, host: str, tls_dir: str = "", *, tls_verify: bool = False) -> None:
        """Remember where the engine is; nothing is sent yet."""
        self.host, self.prefix = host, ""
        self._tls_dir = tls_dir
        self._tls_verify = tls_verify
        self.info: dict[str, object] = {}  # see `info`

    @property
    def local(self) -> bool:
        """Tell whether the engine's socket is on this host; its containers may be out of reach still."""
        return self.host.startswith("unix://")

    def use_version(self, version: str) -> None:
        """Ask for one version of the API from now on, such as `1.41`."""
        self.prefix = f"/v{version}"

    def get(self, path: str, timeout: float = TIMEOUT_SECONDS) -> Answer:
        """Send a GET."""
        return self.send("GET", path, timeout=timeout)

    def post(self, path: str, body: object = None, timeout: float = TIMEOUT_SECONDS) -> Answer:
        """Send a POST with a JSON body."""
        return self.send("POST", path, _encoded(body), timeout=timeout)

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
        connection = self.connect(timeout)
        try:
            head = request_head(
                method, self.prefix + path, len(body), {"Content-Type": content_type}
            )
            connection.sendall(head + body)
            reader = Reader(connection, timeout)
            status, headers = read_head(reader)
            content = b"" if method == "HEAD" else joined(read_body(reader, headers))
        except (OSError, ValueError) as error:
            raise self.broken(error) from None
        finally:
            connection.close()
        return Answer(status, headers, content)

    def hijack(self, path: str, body: object = None) -> tuple[Answer, Reader]:
        """Send a POST that turns the connection into a raw stream; the caller closes it.

        Where the engine refuses (status other than 101 or 200), the connection is closed already.
        """
        connection = self.connect(TIMEOUT_SECONDS)
        try:
            data = _encoded(body)
            headers = {
                "Content-Type": "application/json",
                "Connection": "Upgrade",
                "Upgrade": "tcp",
            }
            connection.sendall(request_head("POST", self.prefix + path, len(data), headers) + data)
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
            raise self.broken(error) from None
        return Answer(status, answered, b""), reader

    def connect(self, timeout: float) -> _socket.socket:
        """Return a connection of its own, for one request.  Raises EngineUnavailable."""
        try:
            return self._connect_unix(timeout) if self.local else self._connect_tcp(timeout)
        except OSError as error:
            raise self.broken(error) from None

    def _connect_unix(self, timeout: float) -> _socket.socket:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(self.host.removeprefix("unix://"))
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_tcp(self, timeout: float) -> _socket.socket:
        from executor.engine.tcp import connect  # noqa: PLC0415 (most engines are local)

        return connect(self.host, self._tls_dir, timeout, tls_verify=self._tls_verify)

    def broken(self, error: Exception) -> EngineUnavailable:
        """Return the error of a connection that cannot be made, or that broke."""
        reason = getattr(error, "strerror", None) or str(error)
        return EngineUnavailable(
            f"The Docker Engine at {self.host} cannot be reached: {reason}. Check that it is"
            " running and that gitlab-runner's user may use it. `dind-executor doctor --only"
            " engine-socket` looks at this."
        )


def _encoded(body: object) -> bytes:
    return b"" if body is None else dumps(body).encode()
