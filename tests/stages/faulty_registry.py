"""A registry behind a proxy that breaks answers: what is asked for says how."""

import socket
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.patience import LONGEST_SECONDS
from tests.web import direct

_RESET = struct.pack("ii", 1, 0)  # of SO_LINGER


class FaultyRegistry(ThreadingHTTPServer):
    """Passes on what a registry answers.

    The name of a repository's last part is a fault and a place, such as `429-of-layer` or
    `reset-of-manifest`: what it does to the manifest, or to a big blob.
    """

    daemon_threads = True

    def __init__(self, address: str, registry: str) -> None:
        super().__init__((address, 0), _Answer)
        self.host = f"{address}:{self.server_port}"
        self.registry = registry
        self.stalled = threading.Event()
        self.go_on = threading.Event()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def registry(self) -> FaultyRegistry:
        assert isinstance(self.server, FaultyRegistry)
        return self.server

    def do_GET(self) -> None:
        request = urllib.request.Request(
            f"http://{self.registry.registry}{self.path}",
            headers={"Accept": ", ".join(self.headers.get_all("Accept") or ["*/*"])},
            method=self.command,
        )
        try:
            with direct().open(request, timeout=LONGEST_SECONDS) as answer:
                status, headers, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, headers, content = error.code, error.headers, error.read()
        fault = self._fault(content)
        if fault.isdecimal():
            status, content = int(fault), b'{"errors": [{"code": "TOOMANYREQUESTS"}]}'
        self.send_response(status)
        for name in ("Content-Type", "Docker-Content-Digest", "Docker-Distribution-Api-Version"):
            if headers[name]:
                self.send_header(name, headers[name])
        length = headers["Content-Length"] if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command == "GET":
            self._send(content, fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _fault(self, content: bytes) -> str:
        """Return what is to happen to this answer; empty where nothing is."""
        parts = self.path.split("/")
        fault, _, place = parts[-3].partition("-of-") if len(parts) > 4 else ("", "", "")
        # Of the blobs, the image's configuration is small.
        hit = parts[-2] == "manifests" if place == "manifest" else len(content) > 1 << 16
        return fault if place and hit else ""

    def _send(self, content: bytes, fault: str) -> None:
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        if fault in {"reset", "truncated"}:
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()
            self.close_connection = True
            return
        if fault == "stalled":
            self.registry.stalled.set()
            self.registry.go_on.wait()
        with suppress(OSError):
            self.wfile.write(content[half:])

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def faulty(address: str, registry: str) -> Iterator[FaultyRegistry]:
    """Serve what a registry has, on an address that containers reach too."""
    server = FaultyRegistry(address, registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
