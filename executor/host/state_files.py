"""Small files in the state directory: read where they are what we leave, written as a whole or not at all.

Whoever writes there may race with others, and the directory may be missing.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EPERM
from stat import S_ISREG

from executor.log import write_through
from executor.quick_json import loads

_MOST_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.1


@contextmanager
def opened(path: str, flags: int = 0) -> Iterator[int]:
    """Hold a directory open; -1 where there is none.  `flags` are more of those of `os.open`."""
    descriptor = -1
    if path:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | flags)
    try:
        yield descriptor
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def locked(path: str, name: str, seconds: float = 0.0) -> Iterator[bool]:
    """Hold a lock of a directory inside this; False where another has it, also after `seconds`.

    A process that is killed keeps none.  True also where there is no place for a lock.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with opened(path) as directory:
        descriptor = -1
        if directory >= 0:
            with suppress(OSError):
                descriptor = os.open(name, flags, 0o600, dir_fd=directory)
                give(descriptor, directory)
        if descriptor < 0:
            yield True
            return
        try:
            yield _is_locked(descriptor, time.monotonic() + seconds)
        finally:
            os.close(descriptor)


def read(directory: int, name: str) -> dict[str, object]:
    """Return what a file says; nothing where it is not what we leave."""
    if directory < 0:
        return {}
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=directory)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (no path at all)
            decoded = loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def write(directory: int, name: str, content: bytes, new: str = "") -> None:
    """Write a file as a whole or not at all; `new` is what it is called until then.  Raises OSError."""
    # One name for all: a prepare that ends in the middle of this leaves no more than one such file.
    new = new or f"{name}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(new, flags, 0o600, dir_fd=directory)
        try:
            give(descriptor, directory)
            os.ftruncate(descriptor, 0)
            write_through(descriptor, content)
        finally:
            os.close(descriptor)
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with suppress(OSError):
            os.unlink(new, dir_fd=directory)
        raise


def give(descriptor: int, directory: int) -> None:
    """Let the directory's owner have a file: root and gitlab-runner's user both write there.

    Raises OSError, also where that user has put something else there: a link to another file, a pipe.
    """
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(EPERM, "something else has its name")
    if os.geteuid() == 0:
        owner = os.fstat(directory)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _is_locked(descriptor: int, deadline: float) -> bool:
    import fcntl  # noqa: PLC0415 (few take a lock)

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
