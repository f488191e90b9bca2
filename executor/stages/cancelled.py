"""What is left of a script that gitlab-runner has cancelled."""

import time

from executor.engine.docker import Engine
from executor.log import AdministratorLog, say
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.scripts.attempts import note
from executor.scripts.cancel import remove_container, stop_inner_containers


def end_cancelled(
    engine: Engine, context: RunContext, env: RunnerEnv, log: AdministratorLog
) -> None:
    """End what the author's script left, in the build container and in dind."""
    note(env, notes.CANCELLED)
    started = time.monotonic()
    remove_container(engine, context.names.build)
    stopped = stop_inner_containers(engine, context.names.dind)
    if stopped:
        say(f"Stopped {stopped} container{'s' * (stopped > 1)} of the job's Docker daemon.")
    log.done("script cancelled", started, container=context.names.build, stopped=stopped)
