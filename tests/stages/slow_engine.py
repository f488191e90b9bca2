"""An address before the engine that comes and goes, and holds requests back."""

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

_LONGEST_SECONDS = 60.0


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
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self._path))
        self._listening.listen(64)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def go(self) -> None:
        """Be away, as an engine that restarts."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _whole_request(connection)
            held = self._held and self._held.match(request.partition(b"\r\n")[0].decode())
            if held:
                self.asked.set()
                self.go_on.wait(_LONGEST_SECONDS)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
                engine.connect(self._engine)
                engine.sendall(request)
                if held:
                    # Whoever asked may be gone.
                    answer = engine.recv(65536)
                    self.done.set()
                    connection.sendall(answer)
                back = threading.Thread(target=_copy, args=(engine, connection), daemon=True)
                back.start()
                _copy(connection, engine)
                back.join(_LONGEST_SECONDS)


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


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
