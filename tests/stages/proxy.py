"""A proxy for HTTPS that keeps a list of what it was asked for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LONGEST_SECONDS = 30.0


class Proxy:
    """Listens on one address of this machine, and tunnels."""

    def __init__(self, address: str) -> None:
        self._listening = socket.create_server((address, 0))
        self.url = f"http://{address}:{self._listening.getsockname()[1]}"
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections; those that there are end by themselves."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_LONGEST_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            connection.settimeout(_LONGEST_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head and (data := connection.recv(4096)):
                head += data
            method, target = head.decode().split()[:2]
            self.asked.append(target)
            if method != "CONNECT":
                connection.sendall(b"HTTP/1.1 501 Not Implemented\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port)), _LONGEST_SECONDS) as there:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_copy, args=(there, connection), daemon=True)
                back.start()
                _copy(connection, there)
                back.join(_LONGEST_SECONDS)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def proxy(address: str) -> Iterator[Proxy]:
    """Yield a proxy that ends afterwards."""
    found = Proxy(address)
    try:
        yield found
    finally:
        found.close()
