"""A job without its sidecar, which nobody lists as a service and which cannot be had.

Loaded by prepare, and by `run` only where a sidecar does not come up.
"""

from executor.engine.docker import Engine
from executor.errors import EngineUnavailable, ExecutorError
from executor.log import AdministratorLog, complain


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


def go_on_without(engine: Engine, name: str, error: ExecutorError, log: AdministratorLog) -> None:
    """Do the same with a sidecar that was started by an earlier call."""
    config = engine.inspect(name).get("Config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    known = labels if isinstance(labels, dict) else {}
    go_without_dind(engine, name, {key: str(known[key]) for key in known}, error, log)
