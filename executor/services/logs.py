"""CI_DEBUG_SERVICES: what a job's services print, in the job log, from prepare to the last `run`.

No process may stay between the stages, as gitlab-runner waits for everyone who holds its pipes. So
each stage takes up the logs where the one before left off, and writes that down in the job's
temporary directory.  This module loads only in jobs that ask for it.
"""

import _thread
import calendar
import time
from collections.abc import Callable, Iterable

from executor.engine.docker import Engine
from executor.log import write_through
from executor.quick_json import dumps, loads
from executor.runner import notes

_GREY, _RESET = b"\033[0;37m", b"\033[0;m"
_STDOUT = 1
_SECOND = 1_000_000_000
_OVERLAP = _SECOND // 10
"""How far back a stage looks, in nanoseconds: the engine writes lines of stdout and stderr not
quite in the order of their times."""
_MANY = 10_000
"""Times that are kept before old ones are looked for."""
_LONGEST_LINE = 256 * 1024
"""How many bytes of a line are kept before it is printed in parts: it may never end."""
_CATCHING_UP_SECONDS = 3.0
"""How long the end of a stage may wait for services that print without a pause."""
_MARGIN_SECONDS = 0.1
"""How far the clock of the engine's host may be ahead of ours without a line being left for later."""
_PAUSE_SECONDS = 120.0
"""How long the engine may be silent, of messages that are there."""
_SILENCE_SECONDS = 30 * 24 * 3600.0

Remembered = dict[str, object]


class ServiceLog:
    """The log of one service: which part of it the job log has already."""

    def __init__(self, container: str, label: str, printed: dict[str, int]) -> None:
        """Take the times of the newest messages that are printed, and how many have each."""
        self.container = container
        self._prefix = _GREY + f"[service:{label}] ".encode()
        self._label = label
        self._printed = printed
        self._known: dict[str, int] = {}
        self._held: dict[int, bytes] = {}
        self._most = _MANY

    def since(self) -> str:
        """Begin to read anew; return from which time, in seconds since 1970; "" from the start."""
        self._known = dict(self._printed)
        newest = max(self._printed, default="")
        if not newest:
            return ""
        seconds, nanos = divmod(max(_nanoseconds(newest) - _OVERLAP, 0), _SECOND)
        return f"{seconds}.{nanos:09d}"

    def take(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Print messages that are new, line by line."""
        lines = []
        for descriptor, data in frames:
            moment, _, message = data.partition(b" ")
            at = moment.decode(errors="replace")
            if self._known.get(at):
                self._known[at] -= 1
                continue
            self._printed[at] = self._printed.get(at, 0) + 1
            # The engine parts a long line into messages, each with a time.
            begun = self._held.pop(descriptor, None)
            text = data if begun is None else begun + message
            if text.endswith(b"\n"):
                lines.append(self._line(text[:-1]))
            elif len(text) > _LONGEST_LINE:
                lines.append(self._line(text))
            else:
                self._held[descriptor] = text
        if lines:
            write_through(_STDOUT, b"".join(lines))
        if len(self._printed) > self._most:
            self._forget()
            self._most = max(_MANY, 2 * len(self._printed))

    def finish(self) -> None:
        """Print what has no end of line."""
        for text in self._held.values():
            write_through(_STDOUT, self._line(text))
        self._held = {}

    def remembered(self) -> Remembered:
        """Return what the next stage has to know."""
        self._forget()
        return {"container": self.container, "label": self._label, "printed": self._printed}

    def _line(self, text: bytes) -> bytes:
        return self._prefix + text + _RESET + b"\n"

    def _forget(self) -> None:
        """Forget messages that nobody will look at again."""
        newest = max(self._printed, default="")
        if newest:
            oldest = _text(_nanoseconds(newest) - _OVERLAP)
            self._printed = {at: n for at, n in self._printed.items() if at >= oldest}


class ServiceLogs:
    """The logs of all services of a job, followed while a stage goes on."""

    def __init__(self, engine: Engine, temp_dir: str, logs: list[ServiceLog]) -> None:
        """Take the logs as the stage before left them."""
        self._engine = engine
        self._temp_dir = temp_dir
        self._logs = logs
        self._lock = _thread.allocate_lock()
        self._ended = False

    def follow(self) -> None:
        """Print from now on what the services print, until `end`."""
        for each in self._logs:
            _thread.start_new_thread(self._follow, (each,))

    def end(self) -> None:
        """Print what came until now, and write down how far that is.

        What a service prints faster than anyone can read is left to the next stage.
        """
        deadline = time.monotonic() + _CATCHING_UP_SECONDS
        until = f"{time.time() + _MARGIN_SECONDS:.9f}"
        with self._lock:
            self._ended = True
            for each in self._logs:
                take = _taker(each, deadline)
                since = each.since()
                self._engine.copy_output(
                    each.container, take, _PAUSE_SECONDS, since=since, until=until
                )
                each.finish()
            self._write()

    def _follow(self, log: ServiceLog) -> None:
        def take(descriptor: int, data: bytes) -> bool:
            with self._lock:
                if not self._ended:
                    log.take(((descriptor, data),))
                return self._ended

        with self._lock:
            since = log.since()
        self._engine.copy_output(log.container, take, _SILENCE_SECONDS, since=since)

    def _write(self) -> None:
        text = dumps([each.remembered() for each in self._logs])
        notes.leave(self._temp_dir, notes.SERVICE_LOGS, text.encode())


def _taker(log: ServiceLog, deadline: float) -> Callable[[int, bytes], bool]:
    """Return what prints messages until a moment (of `time.monotonic`)."""

    def take(descriptor: int, data: bytes) -> bool:
        log.take(((descriptor, data),))
        return time.monotonic() > deadline

    return take


def new_logs(engine: Engine, temp_dir: str, services: Iterable[tuple[str, str]]) -> ServiceLogs:
    """Return the logs of these containers and their labels, of which nothing is printed yet."""
    return ServiceLogs(engine, temp_dir, [ServiceLog(*each, {}) for each in services])


def read_logs(engine: Engine, temp_dir: str) -> ServiceLogs:
    """Return the logs as the stage before left them."""
    found = loads(notes.read(temp_dir, notes.SERVICE_LOGS) or b"[]")
    logs = [ServiceLog(each["container"], each["label"], each["printed"]) for each in found]
    return ServiceLogs(engine, temp_dir, logs)


def _nanoseconds(moment: str) -> int:
    """Return the time of a message, which the engine writes as 2024-01-31T12:00:00.123456789Z."""
    whole, _, fraction = moment.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * _SECOND + int(fraction.ljust(9, "0")[:9] or "0")


def _text(nanoseconds: int) -> str:
    seconds, nanos = divmod(nanoseconds, _SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos:09d}Z"
