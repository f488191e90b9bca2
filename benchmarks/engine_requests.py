"""The requests that each stage of a job makes to the engine, counted at a socket before it."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.sockets import Listener, on_unix

STAGES = ("config", "prepare", "run", "cleanup")
_REQUEST = re.compile(rb"(?:^|\n|\})(GET|HEAD|POST|PUT|DELETE) (/\S*) HTTP/1\.1\r\n")
# What differs from job to job in a path: ids, names of jobs' objects, parameters.
_BY_CHANCE = (
    (re.compile(r"\?.*"), ""),
    (re.compile(r"^/v[\d.]+"), ""),
    (re.compile(r"/(containers|networks|volumes|images|exec)/(?!create|json|prune).+?(?=/[a-z]+$|$)"), r"/\1/…"),
)  # fmt: skip
_CREDENTIALS = struct.Struct("3i")


class CountingEngine:
    """The engine, at a socket of its own that keeps a list of what it was asked for."""

    def __init__(self, path: Path, engine_host: str) -> None:
        """Listen at `path`; what comes goes to the engine."""
        self._engine = engine_host.removeprefix("unix://")
        self._lock = threading.Lock()
        self._asked: list[tuple[str, str]] = []
        self.host = f"unix://{path}"
        self.close = Listener(on_unix(path), self._serve).close

    def take(self) -> Mapping[str, list[str]]:
        """Return the requests of each stage since the last call."""
        with self._lock:
            asked, self._asked = self._asked, []
        return {stage: sorted(what for who, what in asked if who == stage) for stage in STAGES}

    def _serve(self, connection: socket.socket) -> None:
        stage = _stage_of(connection)
        with (
            connection,
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine,
        ):
            engine.connect(self._engine)
            back = threading.Thread(target=_copy, args=(engine, connection), daemon=True)
            back.start()
            self._pass_on(stage, connection, engine)
            back.join()

    def _pass_on(self, stage: str, source: socket.socket, target: socket.socket) -> None:
        """Pass on what a stage sends; a request's line may come in pieces."""
        rest = b""
        while data := source.recv(65536):
            rest += data
            found = list(_REQUEST.finditer(rest))
            for each in found:
                what = f"{each[1].decode()} {_settled(each[2].decode())}"
                with self._lock:
                    self._asked.append((stage, what))
            rest = rest[found[-1].end() :] if found else rest
            rest = rest[-4096:]
            target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _stage_of(connection: socket.socket) -> str:
    """Return which stage is at the other end of a connection."""
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, _, _ = _CREDENTIALS.unpack(peer)
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        return next((word for word in words if word in STAGES), "")
    return ""


def _settled(path: str) -> str:
    for pattern, replacement in _BY_CHANCE:
        path = pattern.sub(replacement, path)
    return path


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting(path: Path, engine_host: str) -> Iterator[CountingEngine]:
    """Have requests counted until the end of the block."""
    engine = CountingEngine(path, engine_host)
    try:
        yield engine
    finally:
        engine.close()
