"""Tells cleanup what a stage has made, and that one could not see its last requests through.

The engine finishes a request whose sender is gone, perhaps after cleanup has looked.  A file in
the job's temporary directory stands for a stage that makes things and is not at its end, or whose
last request was still under way then; without it cleanup has nothing to wait for.  A second file
says that cleanup has begun: a `run` call that is still there makes nothing any more.  A third one
says that there may be something to remove at all.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_NAME = "dind-executor-preparing"
_OVER = "dind-executor-over"
_MADE = "dind-executor-made"


@contextmanager
def unfinished(temp_dir: str, close: Callable[[], bool]) -> Iterator[None]:
    """Let cleanup know until nothing is under way at the engine any more.

    `close` is called at the end of the block and tells that (see `engine.gate.Gate`); where it
    cannot, cleanup goes on to know, as it does where this process is killed.
    """
    _touch(f"{temp_dir}/{_NAME}")
    try:
        yield
    finally:
        if close():
            with suppress(FileNotFoundError):  # its directory may go with the job
                os.unlink(f"{temp_dir}/{_NAME}")  # noqa: PTH108 (pathlib costs 9 ms a stage)


def is_unfinished(temp_dir: str) -> bool:
    """Tell whether something is being made for this job, or may still appear."""
    return os.path.exists(f"{temp_dir}/{_NAME}")  # noqa: PTH110


def end_making(temp_dir: str) -> None:
    """Say that cleanup has begun; to be called before `is_unfinished`."""
    # Without its directory the job has no `run` call that could make something.
    with suppress(OSError):
        _touch(f"{temp_dir}/{_OVER}")


def begin_making(temp_dir: str) -> None:
    """Say that prepare makes things from now on; takes back what `end_making` said."""
    _touch(f"{temp_dir}/{_MADE}")
    with suppress(FileNotFoundError):
        os.unlink(f"{temp_dir}/{_OVER}")  # noqa: PTH108


def may_have_made(temp_dir: str) -> bool:
    """Tell whether there may be something to remove: prepare came to `begin_making`."""
    return os.path.exists(f"{temp_dir}/{_MADE}")  # noqa: PTH110


def is_over(temp_dir: str) -> bool:
    """Tell whether cleanup has begun; to be called inside of `unfinished`."""
    return os.path.exists(f"{temp_dir}/{_OVER}")  # noqa: PTH110


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
