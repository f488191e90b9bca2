"""A proxy for HTTPS that keeps a list of what it was asked for."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.patience import LONGEST_SECONDS
from tests.sockets import Listener, tunnel


class Proxy:
    """Listens on one address of this machine, and tunnels."""

    def __init__(self, address: str, routes: Mapping[str, tuple[str, int]] | None = None) -> None:
        """Listen; `routes` lead from what is asked for to where only the proxy gets."""
        self._routes = routes or {}
        listening = socket.create_server((address, 0))
        self.url = f"http://{address}:{listening.getsockname()[1]}"
        self.asked: list[str] = []
        self.close = Listener(listening, self._serve).close

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            connection.settimeout(LONGEST_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head and (data := connection.recv(4096)):
                head += data
            method, target = head.decode().split()[:2]
            self.asked.append(target)
            if method != "CONNECT":
                connection.sendall(b"HTTP/1.1 501 Not Implemented\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            place = self._routes.get(target) or (host, int(port))
            with socket.create_connection(place, LONGEST_SECONDS) as there:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                tunnel(connection, there)


@contextmanager
def proxy(address: str, routes: Mapping[str, tuple[str, int]] | None = None) -> Iterator[Proxy]:
    """Yield a proxy that ends afterwards."""
    found = Proxy(address, routes)
    try:
        yield found
    finally:
        found.close()
