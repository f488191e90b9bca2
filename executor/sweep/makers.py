"""The gitlab-runners that live and have their jobs' directories in a place, and the logs they have open.

gitlab-runner (17.9 to 19.4) makes a job's log, `trace<number>`, in its TMPDIR before the job's directory,
and has it open until the directory is gone.  So a living gitlab-runner has a log open for each of its
jobs.

All of them can be seen only from the first PID namespace, on a file system that no other machine has,
and with the right to look at that user's processes.
"""

import os
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from executor.host.owner import pid_namespace, read_process
from executor.sweep.files import LOG_NAME, opened

Identity = tuple[int, int]
"""A file's device and inode."""

_FIRST_NAMESPACE = "4026531836"
"""The kernel's own number of it (PROC_PID_INIT_INO)."""
_OF_ONE_MACHINE = (
    *("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "jfs", "reiserfs", "zfs"),
    *("tmpfs", "ramfs", "overlay"),
)
_RUNNER = b"gitlab-runner"
_DELETED = " (deleted)"
_USUAL = "/tmp"  # noqa: S108 (where gitlab-runner makes them)
_MOST_LISTED = 20_000
_MOST_BYTES = 1 << 20


class Unseen(Exception):
    """Not everybody who matters can be seen from here."""


class JobLog(NamedTuple):
    """The file of a job log, with the device and inode that it had."""

    name: str
    device: int
    inode: int

    @property
    def identity(self) -> Identity:
        """Return which file it is, whatever its name."""
        return self.device, self.inode


class Maker(NamedTuple):
    """A gitlab-runner that lives, and makes its jobs' directories in the place that was asked for."""

    pid: int
    started: int
    logs: frozenset[tuple[int, int]]
    """The job logs that it has open."""
    program: tuple[int, int]
    """The file that it runs."""


def makers(parent: str, uid: int, proc: str = "/proc") -> list[Maker]:
    """Return the living gitlab-runners of a user that have their directories in `parent`.

    Raises Unseen where there may be others, or OSError.
    """
    with opened(parent) as place:
        _require_sight(place, uid, proc)
        found = os.fstat(place)
    here = (found.st_dev, found.st_ino)
    living = (_maker(pid, uid, here, proc) for pid in _processes(proc))
    return [each for each in living if each]


def are_in_control(living: Collection[Maker]) -> bool:
    """Tell whether each gitlab-runner is one that has its logs there, as far as that can be seen.

    One without jobs has none open: then another one with the same program must have.
    """
    known = {each.program for each in living if each.logs}
    return all(each.program in known for each in living)


def logs_in(parent: str, uid: int) -> list[JobLog]:
    """Return a user's files in a directory that have a job log's name; raises OSError."""
    found = []
    with opened(parent) as place:
        with os.scandir(place) as listed:
            names = [each.name for each in islice(listed, _MOST_LISTED)]
        for name in names:
            if LOG_NAME.fullmatch(name):
                with suppress(OSError):
                    status = os.stat(name, dir_fd=place, follow_symlinks=False)
                    if status.st_uid == uid and stat.S_ISREG(status.st_mode):
                        found.append(JobLog(name, status.st_dev, status.st_ino))
    return found


def held_by_others(
    logs: Iterable[JobLog], living: Iterable[Maker], uid: int, proc: str = "/proc"
) -> list[JobLog]:
    """Return which of these logs a process of the user has open that is none of these gitlab-runners.

    A gitlab-runner may have another name.
    """
    known = frozenset[Identity]().union(*(each.logs for each in living))
    left = [each for each in logs if each.identity not in known]
    held: set[Identity] = set()
    for pid in _processes(proc) if left else ():
        with suppress(OSError):  # it has ended, or nobody may look at it
            if os.stat(f"{proc}/{pid}").st_uid == uid:  # noqa: PTH116
                held |= open_logs(pid, proc)
    return [each for each in left if each.identity in held]


def _require_sight(place: int, uid: int, proc: str) -> None:
    """Raise Unseen where a gitlab-runner of this user may use the place and not be seen from here."""
    if os.geteuid() not in (0, uid):
        raise Unseen("another user's processes")
    if pid_namespace("self", proc) != _FIRST_NAMESPACE:
        raise Unseen("processes outside of this PID namespace")
    if _file_system(place, proc) not in _OF_ONE_MACHINE:
        raise Unseen("other machines")


def _file_system(place: int, proc: str) -> str:
    """Return the kind of file system that a directory is on, "" where that is not known."""
    mount = ""
    with open(f"{proc}/self/fdinfo/{place}", encoding="ascii") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("mnt_id:"):
                mount = line.split()[1]
    with open(f"{proc}/self/mountinfo", "rb") as file:  # noqa: PTH123
        for mounted in file:
            if mounted.split(b" ", 1)[0].decode("ascii", "replace") == mount:
                return mounted.rpartition(b" - ")[2].split()[0].decode("ascii", "replace")
    return ""  # of another mount namespace


def _maker(pid: int, uid: int, here: Identity, proc: str) -> Maker | None:
    """Return a process if it is a gitlab-runner of the user that makes its directories here.

    Raises Unseen.
    """
    process = read_process(pid, proc)
    if process is None or process.ended or not process.name.startswith(_RUNNER):
        return None
    try:
        if not _is_of(pid, uid, proc) or _temporary(pid, proc) != here:
            return None
        program = os.stat(f"{proc}/{pid}/exe")  # noqa: PTH116 (through a link of /proc)
        logs = frozenset(open_logs(pid, proc))
    except OSError:
        now = read_process(pid, proc)
        if now is None or now.ended or now.started != process.started:
            return None
        raise Unseen("a gitlab-runner") from None
    return Maker(pid, process.started, logs, (program.st_dev, program.st_ino))


def _is_of(pid: int, uid: int, proc: str) -> bool:
    """Tell whether a process may make files of a user; raises OSError."""
    with open(f"{proc}/{pid}/status", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("Uid:"):
                return str(uid) in line.split()[1:]
    raise FileNotFoundError(pid)


def _temporary(pid: int, proc: str) -> Identity | None:
    """Return the directory in which a process makes temporary files; None where somebody removed it.

    Raises OSError where that cannot be told.
    """
    with open(f"{proc}/{pid}/environ", "rb") as file:  # noqa: PTH123
        pairs = file.read(_MOST_BYTES).split(b"\0")
    value = next((os.fsdecode(each[7:]) for each in pairs if each.startswith(b"TMPDIR=")), "")
    path = value or _USUAL
    place = f"root{path}" if path.startswith("/") else f"cwd/{path}"
    try:
        found = os.stat(f"{proc}/{pid}/{place}")  # noqa: PTH116 (through a link of /proc)
    except FileNotFoundError:
        # In a container, a link in the path leads to another place than from here.
        if place.startswith("root") and _has_our_root(pid, proc):
            return None
        raise
    return found.st_dev, found.st_ino


def _has_our_root(pid: int, proc: str) -> bool:
    """Tell whether a process has the same / as this one; raises OSError."""
    return os.path.samestat(os.stat(f"{proc}/{pid}/root"), os.stat("/"))  # noqa: PTH116


def open_logs(pid: int, proc: str) -> set[Identity]:
    """Return the files with a job log's name that a process has open; raises OSError."""
    found: set[Identity] = set()
    for descriptor in os.listdir(f"{proc}/{pid}/fd"):  # noqa: PTH208
        path = f"{proc}/{pid}/fd/{descriptor}"
        with suppress(FileNotFoundError):  # it was closed meanwhile
            # Nothing else is looked at: a file system of the network may never answer.
            name = os.readlink(path).rpartition("/")[2]  # noqa: PTH115
            if LOG_NAME.fullmatch(name.removesuffix(_DELETED)):
                status = os.stat(path)  # noqa: PTH116
                found.add((status.st_dev, status.st_ino))
    return found


def _processes(proc: str) -> list[int]:
    return [int(each) for each in os.listdir(proc) if each.isdecimal()]  # noqa: PTH208
