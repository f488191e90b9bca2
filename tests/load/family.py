"""The processes below one process, told by the kernel as they begin and end.

The kernel's process events (netlink) carry the time of each fork, exec and exit in nanoseconds of
the monotonic clock, where /proc tells a process's start in hundredths of a second only.
"""

import contextlib
import itertools
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_CONNECTOR = 11  # NETLINK_CONNECTOR
_EVENTS = 1  # CN_IDX_PROC, CN_VAL_PROC and PROC_CN_MCAST_LISTEN
_FORK, _EXEC, _EXIT = 0x1, 0x2, 0x80000000
_RECEIVE_BUFFER_FORCE = 33  # SO_RCVBUFFORCE
_BUFFER_BYTES = 128 << 20
_HEADERS_BYTES = 36  # of netlink, and of the connector
_SIGNAL_OF_EXIT = 0x7F


@dataclass(slots=True)
class Process:
    """One process, with its times in nanoseconds of the monotonic clock."""

    pid: int
    parent: int
    born_ns: int
    # When it became another program: a hook is a shell first, and then Python.
    became_ns: list[int]
    command: str = ""
    # `prepare`, `cleanup` and so on; of a `run`, its sub-stage. Empty before it is Python.
    stage: str = ""
    ended_ns: int = 0
    ended_by: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether the kernel has not told of its end yet."""
        return not self.ended_ns


class Family:
    """A process and what it has started, however far below; it must not have started any before."""

    def __init__(self, events: socket.socket) -> None:
        self._events = events
        self._root = 0
        self._living: dict[int, Process] = {}
        self.dead: list[Process] = []

    def follow(self, root: int) -> None:
        """Take a process for the head of the family, from now on."""
        self._root = root
        self._living[root] = Process(root, 0, time.monotonic_ns(), [])

    def children(self) -> list[Process]:
        """Return the living processes that the head itself has started."""
        return [process for process in self._living.values() if process.parent == self._root]

    def stages(self) -> list[Process]:
        """Return all that the head itself has ever started."""
        everyone = [*self._living.values(), *self.dead]
        return [process for process in everyone if process.parent == self._root]

    def living(self) -> list[Process]:
        """Return all living processes, the head first."""
        return list(self._living.values())

    def listen(self, seconds: float) -> Process | None:
        """Take what the kernel tells, and return at the birth of a child of the head, or in time.

        Raises OSError where the kernel has dropped events, as then nothing is certain any more.
        """
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            if not select.select([self._events], [], [], left)[0]:
                return None
            born = self._take(self._events.recv(4096))
            if born is not None and born.parent == self._root:
                return born

    def send(self, number: signal.Signals, *, alone: bool = False) -> list[tuple[Process, int]]:
        """Signal the whole family as systemd does: again until nobody is new; return who, when.

        With `alone`, only the head: systemd does so with `KillMode=mixed`.
        """
        if alone:
            os.kill(self._root, number)
            return [(self._living[self._root], time.monotonic_ns())]
        reached: dict[int, tuple[Process, int]] = {}
        while new := [process for process in self.living() if process.pid not in reached]:
            for process in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)
                reached[process.pid] = (process, time.monotonic_ns())
            while self.listen(0) is not None:
                pass
        return list(reached.values())

    def _take(self, message: bytes) -> Process | None:
        what, _, at = struct.unpack_from("=IIQ", message, _HEADERS_BYTES)
        first, group, third, fourth = struct.unpack_from("=IIII", message, _HEADERS_BYTES + 16)
        if what == _FORK:
            # Of a fork: the parent's thread and process, the child's thread and process.
            if group in self._living and third == fourth:
                self._living[third] = Process(third, group, at, [])
                return self._living[third]
            return None
        process = self._living.get(first) if first == group else None
        if process is None:
            return None
        if what == _EXEC:
            process.became_ns.append(at)
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{first}/cmdline").read_bytes().rstrip(b"\0")
                words = [os.fsdecode(word) for word in line.split(b"\0")]
                process.command = " ".join(Path(word).name for word in words[:6])
                process.stage = _stage_of(words)
        elif what == _EXIT:
            process.ended_ns, process.ended_by = at, third & _SIGNAL_OF_EXIT
            self.dead.append(self._living.pop(first))
        return None


def _stage_of(words: Sequence[str]) -> str:
    """Return the stage that a call of the package is, or the sub-stage of a `run`."""
    for program, name in itertools.pairwise(words):
        if program == "executor" or program.startswith("from executor."):
            return words[-1] if name == "run" else name
    return ""


@contextlib.contextmanager
def watching() -> Iterator[Family]:
    """Have the kernel tell of processes until the end of the block; raises OSError if it does not.

    It does for root, on a machine that is no container.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR) as events:
        events.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, _BUFFER_BYTES)
        events.bind((0, _EVENTS))
        operation = struct.pack("=IIIIHHI", _EVENTS, _EVENTS, 0, 0, 4, 0, 1)
        events.send(struct.pack("=IHHII", 16 + len(operation), 3, 0, 0, 0) + operation)
        if not select.select([events], [], [], 5)[0]:
            raise OSError("the kernel tells nothing of processes: root on the host itself hears it")
        yield Family(events)
