"""What other jobs left is swept away beside prepare's own work, and never waited for."""

import os
from collections.abc import Callable

from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.reading import Basics
from executor.runner.environ import RunnerEnv
from executor.tasks import Task

_AGAIN_SECONDS = 600.0
"""For how long something is left alone that several jobs in a row could not remove."""


def sweep_beside(
    engine: Engine, env: RunnerEnv, basics: Basics, log: AdministratorLog
) -> Callable[[], object]:
    """Return what begins the sweep, to be called when this job's own requests are on their way.

    It ends with the stage at the latest: what is not done by then is the next job's.
    """
    if not basics.settings.sweep.enabled:
        return lambda: None
    return lambda: Task(lambda: sweep_now(engine, env, basics, log))


def sweep_now(engine: Engine, env: RunnerEnv, basics: Basics, log: AdministratorLog) -> None:
    """Sweep, unless another sweep is at it; raises nothing of the engine's."""
    from executor.sweep.options import Options  # noqa: PLC0415 (beside all else)
    from executor.sweep.sweeping import sweep  # noqa: PLC0415

    settings = basics.settings.sweep
    options = Options(
        log,
        basics.context.host,
        by="prepare",
        state_dir=settings.state_dir,
        end_ghosts=settings.end_ghosts,
        environ=env.environ,
        parents=(env.temp_dir.rpartition("/")[0],) if env.temp_dir else (),
        uids=frozenset((os.geteuid(),)),
        own_temp_dir=env.temp_dir,
        own_key=basics.belonging.key,
        again_seconds=_AGAIN_SECONDS,
    )
    try:
        sweep(engine, options)
    except Exception as error:
        log.event("sweep failed", error=f"unexpected {type(error).__name__}")
        raise
