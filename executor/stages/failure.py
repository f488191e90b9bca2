"""What the job log and the administrator's log are told of a stage that failed.

Loaded after a failure only.
"""

import errno
import os
import traceback

from executor.errors import BUILD_FAILURE, ExecutorError, ResourceExhausted
from executor.log import AdministratorLog, complain
from executor.reading import hide_secrets
from executor.runner.environ import RunnerEnv

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MOST_FRAMES = 10
"""An error of a deep recursion has thousands."""


def tell(error: ExecutorError, env: RunnerEnv, log: AdministratorLog) -> int:
    """Say what went wrong, and return the exit code for it."""
    hide_secrets(env, log)
    log.event("stage failed", error=str(error), kind=type(error).__name__)
    complain(f"ERROR: {log.readable(str(error))}")
    return env.build_failure if error.outcome == BUILD_FAILURE else env.system_failure


def meant(error: Exception, env: RunnerEnv, log: AdministratorLog) -> ExecutorError | None:
    """Return what a disk that is full is told as; note another error, which is ours."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full(error.errno, str(error.filename or env.temp_dir))
    log.event("unexpected error", traceback=_traceback(error))
    return None


def _full(number: int, place: str) -> ResourceExhausted:
    return ResourceExhausted(
        f"A disk of gitlab-runner's host is full: {os.strerror(number)} in {place}. Free space there,"
        " or point TMPDIR of gitlab-runner to a larger disk, and retry the job."
        " `dind-executor doctor --only disk` looks at this."
    )


def _traceback(error: Exception) -> str:
    """Return where an error of ours happened, without its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
    places = "; ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {places}"
