"""What the tests' own servers have in common: taking connections, and passing bytes on."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.patience import LONGEST_SECONDS


class Listener:
    """Serves each connection to a socket in a thread of its own."""

    def __init__(self, listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        """Take connections at once; `serve` has to close them."""
        self._listening = listening
        self._serve = serve
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def close(self) -> None:
        """Take no more connections; those that there are end by themselves."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.threads[0].join(LONGEST_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()


def on_unix(path: Path) -> socket.socket:
    """Return a socket that listens at a path."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(64)
    return listening


def held_port(address: str = "127.0.0.1") -> socket.socket:
    """Return a socket with a port that refuses connections, and that nobody else is given.

    Whoever is told of the port may listen there, while this socket is still open.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((address, 0))
    return held


def tunnel(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in both directions until both have ended."""
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join(LONGEST_SECONDS)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
