"""Tells cleanup that somebody was killed before he could see his last requests through.

The engine finishes a request whose sender is gone, perhaps after cleanup has looked.  A file in
the job's temporary directory stands for a stage that makes things and is not at its end; without it
cleanup has nothing to wait for.  A second file says that cleanup has begun: a `run` call that is
still there makes nothing any more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NAME = "dind-executor-preparing"
_OVER = "dind-executor-over"


@contextmanager
def unfinished(temp_dir: str) -> Iterator[None]:
    """Let cleanup know until the end of the block, however it ends but for a kill."""
    path = f"{temp_dir}/{_NAME}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        yield
    finally:
        with suppress(FileNotFoundError):  # its directory may go with the job
            os.unlink(path)  # noqa: PTH108 (pathlib costs 9 ms a stage)


def is_unfinished(temp_dir: str) -> bool:
    """Tell whether something is being made for this job, or whoever made it was killed."""
    return os.path.exists(f"{temp_dir}/{_NAME}")  # noqa: PTH110


def end_making(temp_dir: str) -> None:
    """Say that cleanup has begun; to be called before `is_unfinished`."""
    # Without its directory the job has no `run` call that could make something.
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        os.close(os.open(f"{temp_dir}/{_OVER}", flags, 0o600))


def begin_making(temp_dir: str) -> None:
    """Take back what `end_making` said: prepare begins anew."""
    with suppress(FileNotFoundError):
        os.unlink(f"{temp_dir}/{_OVER}")  # noqa: PTH108


def is_over(temp_dir: str) -> bool:
    """Tell whether cleanup has begun; to be called inside of `unfinished`."""
    return os.path.exists(f"{temp_dir}/{_OVER}")  # noqa: PTH110
