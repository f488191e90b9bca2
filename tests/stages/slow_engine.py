"""An address before the engine that comes and goes, and holds requests back."""

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

from tests.patience import LONGEST_SECONDS
from tests.sockets import Listener, on_unix, tunnel


class SlowEngine:
    """The rig's engine, on a socket of its own; what it was asked for it sees through."""

    def __init__(self, path: Path, engine_host: str) -> None:
        self._path = path
        self._engine = engine_host.removeprefix("unix://")
        self._held: re.Pattern[str] | None = None
        self.asked = threading.Event()
        self.done = threading.Event()
        self.go_on = threading.Event()
        self.come()

    @property
    def host(self) -> str:
        """Return the address for `[docker] host`."""
        return f"unix://{self._path}"

    def hold(self, request: str) -> None:
        """Hold back requests whose first line matches, until `go_on` is set."""
        self._held = re.compile(request)

    def come(self) -> None:
        """Listen."""
        self._listener = Listener(on_unix(self._path), self._serve)

    def go(self) -> None:
        """Be away, as an engine that restarts."""
        self._path.unlink(missing_ok=True)
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _whole_request(connection)
            held = self._held and self._held.match(request.partition(b"\r\n")[0].decode())
            if held:
                self.asked.set()
                self.go_on.wait(LONGEST_SECONDS)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
                engine.connect(self._engine)
                engine.sendall(request)
                if held:
                    # Whoever asked may be gone.
                    answer = engine.recv(65536)
                    self.done.set()
                    connection.sendall(answer)
                tunnel(connection, engine)


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0 and (more := connection.recv(left)):
        data += more
        left -= len(more)
    return data
