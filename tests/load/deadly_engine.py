"""An address before the engine where a stage of a job dies at one of its requests."""

import enum
import os
import re
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.sockets import Listener, on_unix, tunnel

_LONGEST_SECONDS = 60.0
_ID = re.compile(r"[0-9a-f]{64}")
_JOB = re.compile(r"\d+-[0-9a-f]{10}")
_VERSION = re.compile(r"^/v\d+\.\d+")


class Moment(enum.Enum):
    """When the stage dies: `BETWEEN`, the engine has the request and nobody has its answer."""

    BEFORE = "before it reaches the engine"
    BETWEEN = "before its answer comes"
    AFTER = "after its answer"


@dataclass(frozen=True, slots=True)
class Death:
    """At which of a stage's requests its process group is killed."""

    number: int
    moment: Moment


class DeadlyEngine:
    """The engine on a socket of one job's own: counts the job's requests, and kills at one of them.

    A request counts when it has come as a whole, whether its answer is one or a raw stream (attach,
    exec).  dind-executor gives each a connection of its own and says so; what cannot be counted
    this way is kept in `uncounted`.
    """

    def __init__(self, path: Path, engine_host: str) -> None:
        """Listen."""
        self.host = f"unix://{path}"
        self.uncounted: list[str] = []
        self.died_at = ""
        """The request at which a stage was killed."""
        self._engine = engine_host.removeprefix("unix://")
        self._lock = threading.Lock()
        self._asked: list[str] = []
        self._death: Death | None = None
        self._aimed = threading.Event()
        self._group = 0
        self._listener = Listener(on_unix(path), self._serve)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def begin(self, death: Death | None = None) -> None:
        """Count the requests of the stage that comes now, from 1, and kill it at one of them."""
        with self._lock:
            self._asked = []
            self._aimed.clear()
            self._death = death

    def aim(self, group: int) -> None:
        """Say which process group the stage is; a deadly request waits for that."""
        self._group = group
        self._aimed.set()

    def asked(self) -> list[str]:
        """Return what the stage has asked for so far, in the order of arrival."""
        with self._lock:
            return list(self._asked)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = self._whole_request(connection)
            if not request:
                return
            moment = self._count(request)
            if moment is Moment.BEFORE:
                self._kill()
                return
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
                engine.connect(self._engine)
                engine.sendall(request)
                if moment is Moment.BETWEEN:
                    # Both sides close now, as they do where there is nobody in between.
                    self._kill()
                    return
                is_stream = self._pass_head(engine, connection)
                if moment is Moment.AFTER and is_stream:
                    self._kill()
                    return
                tunnel(connection, engine)
                if moment is Moment.AFTER:
                    self._kill()

    def _whole_request(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        left = (int(length[1]) if length else 0) - len(body)
        while left > 0 and (more := connection.recv(left)):
            data += more
            left -= len(more)
        alone = re.search(rb"(?i)\r\nconnection: (close|upgrade)", head)
        if head and (left or not alone or not length):
            self.uncounted.append(head.partition(b"\r\n")[0].decode(errors="replace"))
        return data

    @staticmethod
    def _pass_head(engine: socket.socket, connection: socket.socket) -> bool:
        """Pass on what an answer begins with; tell whether a raw stream follows."""
        data = b""
        while b"\r\n\r\n" not in data and (more := engine.recv(65536)):
            data += more
        connection.sendall(data)
        head = data.partition(b"\r\n\r\n")[0]
        return head.startswith(b"HTTP/1.1 101") or b"application/vnd.docker.raw-stream" in head

    def _count(self, request: bytes) -> Moment | None:
        """Note a request; return when the stage is to die at it, None where it is not."""
        method, path, *_ = request.partition(b"\r\n")[0].decode(errors="replace").split(" ")
        # As for any job: without keys and ids.
        what = f"{method} {_JOB.sub('JOB', _ID.sub('ID', _VERSION.sub('', path)))}"
        with self._lock:
            self._asked.append(what)
            if self._death is None or len(self._asked) != self._death.number:
                return None
            self.died_at = what
            return self._death.moment

    def _kill(self) -> None:
        """Kill the stage; one that has ended by itself after its last answer is as dead."""
        if self._aimed.wait(_LONGEST_SECONDS):
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGKILL)
