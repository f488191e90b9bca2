"""Tells cleanup that a prepare was killed before it could see its last requests through.

The engine finishes a request whose sender is gone, perhaps after cleanup has looked.  A file in
the job's temporary directory stands for a prepare that is not at its end; without it cleanup has
nothing to wait for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "dind-executor-preparing"


@contextmanager
def unfinished(temp_dir: str) -> Iterator[None]:
    """Let cleanup know until the end of the block, however it ends but for a kill."""
    path = f"{temp_dir}/{_NAME}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        yield
    finally:
        os.unlink(path)  # noqa: PTH108 (pathlib costs 9 ms a stage)


def is_unfinished(temp_dir: str) -> bool:
    """Tell whether a prepare of this job was killed."""
    return os.path.exists(f"{temp_dir}/{_NAME}")  # noqa: PTH110
