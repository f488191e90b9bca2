"""What a case may cost, and what became of it: in this process, which is for that alone."""

import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

CPU_SECONDS = 5.0
_KILL_SECONDS = 4
"""How much later the kernel ends what no signal handler interrupts."""
MEMORY = 300 * 1024 * 1024
MOST_OUTPUT = 256 * 1024
LONGEST_LINE = 8 * 1024
PACKAGE = "/executor/"


class Fault(Exception):
    """A case ended as none may; `signature` is the same for all cases of one fault."""

    def __init__(self, signature: str, text: str) -> None:
        """Keep what tells this fault from others."""
        super().__init__(text)
        self.signature = signature


class TooLong(BaseException):
    """A case took more CPU than it may."""


class Terminal:
    """A file in place of stdout or stderr."""

    def __init__(self, descriptor: int) -> None:
        """Take the place of a descriptor."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (for as long as the process lives)
        os.dup2(self._file.fileno(), descriptor)

    def empty(self) -> None:
        """Forget what was written."""
        os.ftruncate(self._file.fileno(), 0)
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)

    def text(self) -> str:
        """Return what was written."""
        size = os.fstat(self._file.fileno()).st_size
        return os.pread(self._file.fileno(), min(size, 2 * MOST_OUTPUT), 0).decode(errors="replace")


def run_bounded(call: Callable[[], object], cpu_seconds: float = CPU_SECONDS) -> None:
    """Call; raises Fault where it raises anything, or takes too much of the machine."""
    before = {
        each: resource.getrlimit(each) for each in (resource.RLIMIT_DATA, resource.RLIMIT_CPU)
    }
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    limits = {
        resource.RLIMIT_DATA: _data_bytes() + MEMORY,
        resource.RLIMIT_CPU: used + int(cpu_seconds) + _KILL_SECONDS,
    }
    for each, most in limits.items():
        resource.setrlimit(each, (most, before[each][1]))
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds, 1)
    described = None
    try:
        call()
        signal.setitimer(signal.ITIMER_PROF, 0)
    except Fault:
        raise
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is a find)
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before[resource.RLIMIT_DATA])
        described = _described(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        for each, limit in before.items():
            resource.setrlimit(each, limit)
    if described:
        # Not from there: hypothesis takes faults for different ones that have different contexts.
        raise Fault(*described)


def check_output(*texts: str, secrets: tuple[str, ...] = ()) -> None:
    """Raise Fault where output is long, has a long line, or has a secret in it."""
    for text in texts:
        if len(text) > MOST_OUTPUT:
            raise Fault("output", f"{len(text)} characters of output: {text[:200]!r}")
        longest = max(text.split("\n"), key=len)
        if len(longest) > LONGEST_LINE:
            raise Fault("line", f"a line of {len(longest)} characters: {longest[:200]!r}")
        for secret in secrets:
            if secret in text:
                at = text.index(secret)
                raise Fault("secret", f"a secret is in {text[max(0, at - 200) : at + 200]!r}")


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


def _described(error: BaseException) -> tuple[str, str]:
    """Return a signature and a traceback, both without the frames of the fuzzer."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if PACKAGE in each.filename and "/tests/" not in each.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    kind = type(error).__name__
    told = str(error)[:400]
    lines = "".join(traceback.format_list(frames[-12:]))
    signature = kind if isinstance(error, TooLong | MemoryError) else f"{kind} at {place}"
    if isinstance(error, TooLong | MemoryError):
        signature = f"{kind} below {_outer(ours)}"
    return signature, f"{kind} at {place}: {told}\n{lines}"


def _outer(frames: list[traceback.FrameSummary]) -> str:
    """Return where in a long way through the package a case spends what it has."""
    names = [f"{Path(each.filename).name}:{each.name}" for each in frames]
    return " ".join(dict.fromkeys(names[-3:]))


def _data_bytes() -> int:
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        line = next(each for each in file if each.startswith("VmData:"))
    return int(line.split()[1]) * 1024


def leave_terminal() -> tuple[Terminal, Terminal]:
    """Lead stdout and stderr into files, as a stage's are; Python's own stay as they were."""
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    return Terminal(1), Terminal(2)
