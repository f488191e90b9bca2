"""A job without its sidecar, which nobody lists as a service and which cannot be had.

Loaded by prepare, and by `run` only where a sidecar does not come up.
"""

import time

from executor.engine.docker import Engine
from executor.errors import EngineUnavailable, ExecutorError
from executor.log import AdministratorLog, complain
from executor.reading import hide_secrets
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv


def go_without_dind(
    engine: Engine,
    name: str,
    labels: dict[str, str],
    error: ExecutorError,
    log: AdministratorLog,
) -> None:
    """Remove what there is of the sidecar, so that nothing waits for it, and tell the author why.

    An engine that does not remove it fails no job.
    """
    try:  # noqa: SIM105 (contextlib is slow to import)
        engine.remove(name, labels)
    except EngineUnavailable:
        pass  # cleanup removes it
    complain(
        "WARNING: `docker` is not available in this job, because its Docker-in-Docker sidecar, for"
        f" which no service is listed, did not come up: {log.readable(str(error))}"
    )
    log.event("sidecar left out", container=name, error=str(error))


def go_on_without(
    engine: Engine, name: str, env: RunnerEnv, error: ExecutorError, log: AdministratorLog
) -> None:
    """Do the same with a sidecar that was started by an earlier call; note why, for a failed script.

    Raises `error` where a service is listed for it, or a script may have used it.
    """
    used = any(notes.is_left(env.temp_dir, each) for each in (notes.LISTENED, notes.ANSWERED))
    if used or not notes.is_left(env.temp_dir, notes.OPTIONAL_DIND):
        raise error
    hide_secrets(env, log)
    notes.leave(env.temp_dir, notes.WITHOUT_DIND, str(error).encode(errors="replace"))
    config = engine.inspect(name).get("Config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    known = labels if isinstance(labels, dict) else {}
    go_without_dind(engine, name, {key: str(known[key]) for key in known}, error, log)


def blame(
    engine: Engine, context: RunContext, env: RunnerEnv, sub_stage: str, log: AdministratorLog
) -> None:
    """Raise ServiceNotReady where a script has failed that has no Docker daemon, or lost it.

    What becomes of after_script decides nothing, so that is a warning, and nobody waits for it.
    """
    from executor.services.dind_causes import loss  # noqa: PLC0415 (rarely needed)

    decides = sub_stage != "after_script"
    seconds = context.ready_timeout if decides else 0.0
    started = time.monotonic()
    error = loss(engine, context.names.dind, env.temp_dir, seconds)
    if notes.is_left(env.temp_dir, notes.DIND_STARTED):
        log.done("dind looked at", started, container=context.names.dind)
    if error and decides:
        raise error
    if error:
        hide_secrets(env, log)
        complain(log.readable(f"WARNING: {error}"))
