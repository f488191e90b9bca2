"""The files in which gitlab-runner keeps the logs of its jobs: read from /proc.

gitlab-runner (17.9 to 19.4) writes each job log to `trace<number>` in its TMPDIR and removes the file
when the job is over.  Nothing in the name says whose it is; only as long as it is open, /proc does.
"""

import os

_PROC = "/proc"
_NAME = "trace"
_MOST = 1000

Trace = tuple[str, int, int]
"""A file's name, device and inode."""


def open_traces(pid: int, directory: str, proc: str = _PROC) -> list[Trace]:
    """Return the job logs in a directory that a process has open; none where that cannot be seen."""
    found: list[Trace] = []
    files = f"{proc}/{pid}/fd"
    try:
        descriptors = os.listdir(files)  # noqa: PTH208 (pathlib costs 9 ms)
    except OSError:
        return found  # it is another user's
    for descriptor in descriptors:
        try:
            place, _, name = os.readlink(f"{files}/{descriptor}").rpartition("/")  # noqa: PTH115
            if place == directory and _is_trace(name) and len(found) < _MOST:
                seen = os.stat(f"{files}/{descriptor}")  # noqa: PTH116
                found.append((name, seen.st_dev, seen.st_ino))
        except OSError:
            continue  # it was closed meanwhile
    return found


def _is_trace(name: str) -> bool:
    number = name.removeprefix(_NAME)
    return number != name and number.isascii() and number.isdecimal()
