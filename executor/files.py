"""Reads files that somebody else may have written, or replaced by something that is no file."""

import os
from errno import EFBIG, EINVAL, EISDIR
from stat import S_ISDIR, S_ISREG

_MIB = 1024 * 1024


def read_regular(path: str, most: int) -> bytes:
    """Return what is in a regular file of at most so many bytes; whatever else is there is not read.

    Neither a pipe without a writer nor a device without an end is waited for.  Raises OSError,
    whose `strerror` says why.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if S_ISDIR(mode):
            raise OSError(EISDIR, os.strerror(EISDIR))
        if not S_ISREG(mode):
            raise OSError(EINVAL, "it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise OSError(EFBIG, f"it is larger than {most // _MIB} MiB")
    return content
