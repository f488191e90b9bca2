"""Stages that outlived their gitlab-runner: found by the temporary directory in their environment.

Nothing of a job goes on without gitlab-runner, which alone knows what comes next.  But a stage that is
still at it makes things, so it ends before anything is removed.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from executor.host.owner import is_numbered_once

_ROOT = 0
_VARIABLE = b"TMPDIR="
_KILLED_SECONDS = 2.0
_PAUSE_SECONDS = 0.05


def find_stages(temp_dirs: Iterable[str], proc: str = "/proc") -> dict[str, tuple[int, ...]]:
    """Return by temporary directory the processes of its stages that live, of those we may see.

    A shell in which somebody looks at a directory is none, nor is a process in a container.
    """
    wanted = tuple(each for each in temp_dirs if each)
    found: dict[str, list[int]] = {}
    for pid in _processes(proc) if wanted else ():
        directory = _stage_of(pid, wanted, proc)
        if directory and is_numbered_once(pid, proc):
            found.setdefault(directory, []).append(pid)
    return {directory: tuple(pids) for directory, pids in found.items()}


def end_stages(
    temp_dirs: Iterable[str], term_seconds: float, *, terminate: bool, proc: str = "/proc"
) -> bool:
    """End the stages of a job: TERM, unless they had it, then KILL; tell whether none is left."""
    wanted = tuple(temp_dirs)
    found = [pid for pids in find_stages(wanted, proc).values() for pid in pids]
    if terminate:
        _send(signal.SIGTERM, found, wanted, proc)
    if left := _wait(found, wanted, proc, term_seconds):
        _send(signal.SIGKILL, left, wanted, proc)
        _wait(left, wanted, proc, _KILLED_SECONDS)
    return not find_stages(wanted, proc)


def is_worked_in(path: str, identity: tuple[int, int], proc: str = "/proc") -> bool:
    """Tell whether a process has its working directory in a directory, as each stage has.

    `identity` is the directory's device and inode: with a /tmp of its own, a process sees it elsewhere.
    """
    name = path.rpartition("/")[2]
    for pid in filter(str.isdecimal, os.listdir(proc)):  # noqa: PTH208
        place = f"{proc}/{pid}/cwd"
        with suppress(OSError):  # it has ended, or is another user's
            seen = os.readlink(place)  # noqa: PTH115
            if f"{seen}/".startswith(f"{path}/"):
                return True
            # No other one is looked at: a file system of a job or of the network may never answer.
            if seen.rpartition("/")[2] == name:
                found = os.stat(place)  # noqa: PTH116
                if (found.st_dev, found.st_ino) == identity:
                    return True
    return False


def _send(number: int, pids: list[int], wanted: tuple[str, ...], proc: str) -> None:
    """Send a signal to each of the processes that is still a stage's, and not another's by now."""
    for pid in pids:
        if _stage_of(pid, wanted, proc):
            with suppress(OSError):
                os.kill(pid, number)


def _wait(pids: list[int], wanted: tuple[str, ...], proc: str, seconds: float) -> list[int]:
    """Return the processes that have not ended after so long."""
    deadline = time.monotonic() + seconds
    while True:
        pids = [each for each in pids if _stage_of(each, wanted, proc)]
        if not pids or time.monotonic() >= deadline:
            return pids
        time.sleep(_PAUSE_SECONDS)


def _processes(proc: str) -> Iterator[int]:
    """Yield the processes that may be looked at, but for this one."""
    own, user = os.getpid(), os.geteuid()
    with os.scandir(proc) as entries:
        for entry in entries:
            if not entry.name.isdecimal() or int(entry.name) == own:
                continue
            with suppress(OSError):
                if user in {_ROOT, entry.stat().st_uid}:
                    yield int(entry.name)


def _stage_of(pid: int, wanted: tuple[str, ...], proc: str) -> str:
    """Return whose stage a process is, "" if it is none of these; one that has ended has no words."""
    try:
        with open(f"{proc}/{pid}/environ", "rb") as file:  # noqa: PTH123 (pathlib costs 9 ms)
            variables = file.read().split(b"\0")
    except OSError:
        return ""
    return next((each for each in wanted if _VARIABLE + os.fsencode(each) in variables), "")
