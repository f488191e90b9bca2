"""The container's end of a script's stream, and what is heard of it."""

import json
import threading
from collections.abc import Callable

from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
)
from tests.patience import LONGEST_SECONDS

ATTACH = "/containers/job-build/attach"
EXEC = "/containers/job-build/exec"
SCRIPT = b"echo hello\nexit 0\n"


class Heard:
    """What a script printed, by stream, and everything in order."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []

    def __call__(self, descriptor: int, data: bytes) -> None:
        self.pieces.append((descriptor, data))

    def on(self, descriptor: int) -> bytes:
        return b"".join(data for number, data in self.pieces if number == descriptor)


class Keeper:
    """The container's end of an attached stream."""

    def __init__(self, connection: Connection) -> None:
        """Take the script, as the keeper does."""
        self.connection = connection
        connection.send(UPGRADED)
        word, nonce, size = connection.file.readline().split()
        self.nonce = nonce
        self.script = connection.file.read(int(size))
        self.last = connection.file.readline()
        assert word == b"run"

    def line(self, number: int, text: bytes) -> bytes:
        """Return one of the keeper's own lines, written to this stream."""
        return b"\0%s %d %s\n" % (self.nonce, number, text)

    def begins(self) -> bytes:
        """Return what says on both streams that the script begins."""
        return frame(2, self.line(2, b"begins")) + frame(1, self.line(1, b"begins"))

    def ends(self, code: int) -> bytes:
        """Return what says on both streams that it ended."""
        text = str(code).encode()
        return frame(2, self.line(2, text)) + frame(1, self.line(1, text))


Acts = Callable[[Keeper], None]


def attached(acts: Acts) -> Callable[[Connection, Received], None]:
    """Return an answer to an attach request."""

    def answer(connection: Connection, _received: Received) -> None:
        acts(Keeper(connection))

    return answer


def prints(*pieces: tuple[int, bytes], code: int = 0) -> Acts:
    """Return a script that prints and ends."""

    def act(keeper: Keeper) -> None:
        keeper.connection.send(
            keeper.begins(), *(frame(number, data) for number, data in pieces), keeper.ends(code)
        )

    return act


def inspected(**state: object) -> bytes:
    return http(200, {"State": {"Running": True, "ExitCode": 0, "OOMKilled": False, **state}})


class Signals:
    """The signals that reach the container, by way of execs."""

    def __init__(self, stub: StubEngine) -> None:
        self.got: list[str] = []
        self.came = threading.Condition()
        stub.on("POST", EXEC, self._create)
        stub.on("POST", "/exec/the-exec/start", UPGRADED)

    def wait_for(self, name: str) -> None:
        with self.came:
            assert self.came.wait_for(lambda: name in self.got, timeout=LONGEST_SECONDS)

    def _create(self, connection: Connection, received: Received) -> None:
        text = json.dumps(received.json()["Cmd"])
        with self.came:
            self.got += [name for name in ("TERM", "KILL") if f"_signal='{name}'" in text]
            self.came.notify_all()
        connection.send(http(201, {"Id": "the-exec"}))
