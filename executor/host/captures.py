"""The directory of captured payloads: its owner's alone, and bounded in number, age and size.

One process at a time writes there; who finds it busy leaves nothing.
"""

import fcntl
import os
import time
from contextlib import contextmanager
from errno import EBUSY, EPERM
from stat import S_ISREG
from typing import TYPE_CHECKING

from executor.host import state_files

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES = 50
MOST_DAYS = 14
MOST_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 24 * 3600
_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


def keep(directory: str, name: str, text: str, *, replaces: bool) -> str:
    """Write a file as a whole, remove what is too much, and return its path; raises OSError.

    One of that name stays unless this one `replaces` it.
    """
    if not os.path.isdir(directory):  # noqa: PTH112
        os.mkdir(directory, 0o700)  # noqa: PTH102
    with _held(directory) as descriptor:
        _remove_old(descriptor, but=name)
        if replaces or not _is_there(descriptor, name):
            state_files.write(descriptor, name, text.encode(errors="replace"))
    return f"{directory}/{name}"


def remove(directory: str, name: str) -> None:
    """Remove a file, if it is there; raises OSError."""
    if not os.path.exists(f"{directory}/{name}"):  # noqa: PTH110
        return
    with _held(directory) as descriptor:
        if _is_there(descriptor, name):
            os.unlink(name, dir_fd=descriptor)


def expire(directory: str) -> int:
    """Remove the files that are too old, and return how many there were; raises OSError.

    root may do so in the directory of another user.
    """
    try:
        names = os.listdir(directory)  # noqa: PTH208 (pathlib is slow to import)
        if not any(_is_old(os.lstat(f"{directory}/{each}").st_mtime) for each in names):
            return 0
    except FileNotFoundError:
        return 0
    with _held(directory, also_others=not os.geteuid()) as descriptor:
        return _remove_old(descriptor)


@contextmanager
def _held(directory: str, *, also_others: bool = False) -> "Iterator[int]":
    """Hold a directory that is this user's alone; raises OSError where it is not, or is held."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(directory, flags)
    try:
        found = os.fstat(descriptor)
        is_own = also_others or found.st_uid == os.geteuid()
        if not is_own or found.st_mode & 0o077:
            raise OSError(EPERM, "it is another user's, or open to others")
        _lock(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError(EBUSY, "another job is captured") from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _remove_old(directory: int, but: str = "") -> int:
    """Remove what is too old or too much; return how many files.  Nobody else writes meanwhile.

    With `but`, the name of a file to be written, one more is within bounds then.
    """
    found = []
    for name in os.listdir(directory):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if S_ISREG(status.st_mode):
            found.append((status.st_mtime, status.st_size, name))
    found.sort(reverse=True)
    count, size, removed = 1 if but else 0, 0, 0
    for at, length, name in found:
        if name == but:
            continue
        is_new_enough = not _is_old(at) and not name.endswith(".new")
        if is_new_enough and count < MOST_FILES and size + length <= MOST_BYTES:
            count, size = count + 1, size + length
        else:
            os.unlink(name, dir_fd=directory)
            removed += 1
    return removed


def _is_old(at: float) -> bool:
    return at < time.time() - MOST_DAYS * _DAY_SECONDS


def _is_there(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
