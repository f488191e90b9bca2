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
    settings = basics.settings.sweep

    def sweep() -> None:
        from executor.sweep.options import Options  # noqa: PLC0415 (beside all else)
        from executor.sweep.sweeping import sweep as whole_sweep  # noqa: PLC0415

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
            again_seconds=_AGAIN_SECONDS,
        )
        try:
            whole_sweep(engine, options)
        except Exception as error:
            log.event("sweep failed", error=f"unexpected {type(error).__name__}")
            raise

    return (lambda: Task(sweep)) if settings.enabled else (lambda: None)
