"""The spool: a file to which each stage appends its record, and the one before it.

Stages of many jobs write at the same time, each its line with one call.  Whoever finds the file full
puts it in the place of the old one; there are never more than the two.
"""

import os
from errno import EFBIG, ENOSPC, EPERM
from stat import S_ISREG

from executor.quick_json import loads

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Iterator

FILE, OLD = "events.jsonl", "events.1.jsonl"

MOST_BYTES = 16 * 1024 * 1024
"""Of a file, before the next one begins.  A job has some 6 KB."""
_FAR_TOO_MANY_BYTES = 2 * MOST_BYTES
"""Of a file that nobody could put aside: then nothing is appended any more."""
LONGEST_LINE = 64 * 1024
"""Of what is read; a stage writes far less."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


def append(directory: str, line: bytes) -> None:
    """Append a line, which ends in a newline.  Raises OSError, and the spool may lack the line then."""
    inside = _opened(directory)
    try:
        descriptor, size = _file(inside)
        try:
            if size >= MOST_BYTES and _put_aside(inside, descriptor):
                full = descriptor
                descriptor, size = _file(inside)
                os.close(full)
            if size >= _FAR_TOO_MANY_BYTES:
                raise OSError(EFBIG, os.strerror(EFBIG))
            # A full disk, or a kill, may have left a part of a line.  One that is being written looks
            # the same, and gets an empty line behind it, which no reader minds.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            text = b"\n" + line if torn else line
            if os.write(descriptor, text) < len(text):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
        finally:
            os.close(descriptor)
    finally:
        os.close(inside)


def records(directory: str, job: int | None = None) -> "Iterator[dict[str, object]]":
    """Yield the records of a spool from the oldest, of one job or of all.

    A line that is torn, or of a later version, is passed over.  Raises OSError where there is no spool
    that can be read.
    """
    wanted = b"" if job is None else b'"job":%d,' % job
    for line in _lines(directory):
        if wanted in line:
            found = decoded(line)
            if found is not None:
                yield found


def decoded(line: bytes) -> "dict[str, object] | None":
    """Return the record in a line; None where it is torn, too long, or of a later version."""
    from executor.record.words import VERSION  # noqa: PLC0415 (no stage reads)

    if len(line) > LONGEST_LINE:
        return None
    try:
        found = loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("v") == VERSION else None


def _lines(directory: str) -> "Iterator[bytes]":
    for name in (OLD, FILE):
        try:
            with open(readable(f"{directory}/{name}"), "rb") as file:
                yield from file
        except FileNotFoundError:
            if name == FILE:
                os.stat(directory)  # noqa: PTH116


def readable(path: str) -> int:
    """Open a file to read, and nothing that only has its name.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(EPERM, "something else has its name", path)
    return descriptor


def _opened(directory: str) -> int:
    """Open the directory, making it in one that is there.  Raises OSError."""
    try:
        return os.open(directory, _DIRECTORY)
    except FileNotFoundError:
        pass
    try:
        os.mkdir(directory, 0o700)  # noqa: PTH102
        if os.geteuid() == 0:
            # root and gitlab-runner's user both write there
            owner = os.stat(f"{directory}/..")  # noqa: PTH116
            os.chown(directory, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except FileExistsError:
        pass
    return os.open(directory, _DIRECTORY)


def _file(inside: int) -> tuple[int, int]:
    """Open the file, and return its size too.  Raises OSError, also where it is no file of its own."""
    descriptor = os.open(FILE, _APPEND, 0o600, dir_fd=inside)
    try:
        return descriptor, _own_size(descriptor, inside)
    except OSError:
        os.close(descriptor)
        raise


def _own_size(descriptor: int, inside: int) -> int:
    """Return the file's size, and let a new one belong to whom the directory does.  Raises OSError."""
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise OSError(EPERM, "something else has its name")
    if not found.st_size and os.geteuid() == 0:
        owner = os.fstat(inside)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return found.st_size


def _put_aside(inside: int, descriptor: int) -> bool:
    """Let a new file begin; tell whether there is one.  Raises OSError.

    One of all that find the file full does it.  The others append to it meanwhile, wherever it is.
    """
    import fcntl  # noqa: PLC0415 (rarely needed)

    try:
        fcntl.flock(inside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        there = os.stat(FILE, dir_fd=inside, follow_symlinks=False)
    except FileNotFoundError:
        return True
    if os.path.samestat(there, os.fstat(descriptor)):
        os.rename(FILE, OLD, src_dir_fd=inside, dst_dir_fd=inside)
    return True
