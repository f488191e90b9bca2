"""Files and directories of another user or of a job, handled by descriptor.

Whoever sweeps may be root, and where others may write, a name can come to mean something else at any
moment.  So nothing is opened through a link, and what was opened is what counts.
"""

import os
import stat
from collections.abc import Collection

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_DEEPEST = 32


class Refused(OSError):
    """It is not what it should be; the text says why."""


def open_directory(name: str, parent: int, uids: Collection[int]) -> int:
    """Return a descriptor of a directory that one of some users has for himself alone.

    Raises Refused, or another OSError.
    """
    descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        found = os.fstat(descriptor)
        if found.st_uid not in uids:
            raise Refused("it belongs to another user")
        if found.st_mode & _OTHERS_WRITE:
            raise Refused("other users may write to it")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_file(name: str, directory: int, most: int) -> bytes:
    """Return the content of a file that belongs to the user of its directory, and to no other name.

    Raises Refused where it is no such file, or longer than `most` bytes; else another OSError.
    """
    descriptor = os.open(name, _FILE, dir_fd=directory)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("it is not a regular file")
        if found.st_uid != os.fstat(directory).st_uid or found.st_nlink != 1:
            raise Refused("it belongs to another user, or has another name as well")
        if found.st_size > most:
            raise Refused("it is too long")
        return _read(descriptor, most)
    finally:
        os.close(descriptor)


def _read(descriptor: int, most: int) -> bytes:
    pieces: list[bytes] = []
    left = most + 1
    while left and (piece := os.read(descriptor, left)):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise Refused("it is too long")
    return b"".join(pieces)


def empty(directory: int, *, last: str = "", proc: str = "/proc") -> list[str]:
    """Remove what is in a directory, the file `last` at the very end; return what stays and why.

    Links are removed and not followed, and what is mounted somewhere below stays.
    """
    return _empty(directory, _mount(directory, proc), last, proc, _DEEPEST)


def _empty(directory: int, mount: str, last: str, proc: str, depth: int) -> list[str]:
    left: list[str] = []
    with os.scandir(directory) as listed:
        entries = [(each.name, each.is_dir(follow_symlinks=False)) for each in listed]
    for name, is_directory in sorted(entries, key=lambda each: each[0] == last):
        if name == last and left:
            continue
        try:
            if is_directory:
                left += _remove_below(name, directory, mount, proc, depth)
            else:
                os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            continue  # somebody else removes it too
        except OSError as error:
            left.append(f"{name}: {error.strerror or error}")
    return left


def _remove_below(name: str, parent: int, mount: str, proc: str, depth: int) -> list[str]:
    """Remove a directory in another one; return what stays of it."""
    if not depth:
        return [f"{name}: directories are nested too deep"]
    descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        if _mount(descriptor, proc) != mount:
            return [f"{name}: another file system is mounted there"]
        left = _empty(descriptor, mount, "", proc, depth - 1)
    finally:
        os.close(descriptor)
    if not left:
        os.rmdir(name, dir_fd=parent)
    return left


def _mount(descriptor: int, proc: str) -> str:
    """Return which mount a directory is on; raises OSError where that cannot be told.

    A bind mount has the device of where it comes from, so the device does not tell.
    """
    with open(f"{proc}/self/fdinfo/{descriptor}", encoding="ascii") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("mnt_id:"):
                return line.split()[1]
    raise Refused("the kernel does not tell what is mounted there")
