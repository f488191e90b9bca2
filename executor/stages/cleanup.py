"""cleanup: removes everything that carries the job's label.  Needs no plan and no settings' word.

It may run at any time and any number of times: after success, failure, a cancel, a prepare that
died at any point, or when nothing was ever made.
"""

from executor.engine.removal import PATIENCE_SECONDS, Removal
from executor.errors import EngineRefused, EngineUnavailable
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.runner.making import end_making, may_appear, may_be_there
from executor.stages.context import engine_of, run_context

_SETTLE_SECONDS = 30.0
"""How long the engine may take to finish what a killed stage asked of it last."""


def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
    """Remove the job's containers, network and volumes.

    Raises EngineRefused if some are left, or EngineUnavailable where the engine does not answer.
    """
    context = run_context(env, args)
    context.open(log, result=env.job_value("CI_JOB_STATUS"))
    engine = engine_of(context)
    end_making(env.temp_dir)
    removal = Removal(context.names, log)
    removal.quiet_seconds = _SETTLE_SECONDS if may_appear(env.temp_dir) else 0.0
    # prepare did not reach an engine that has nothing of the job: there is nothing to wait for.
    removal.patience_seconds = PATIENCE_SECONDS if may_be_there(env.temp_dir) else 0.0
    if context.capture and env.job_value("CI_JOB_STATUS") == "success":
        from executor.stages.capture import forget  # noqa: PLC0415 (where payloads are kept)

        forget(log)
    removal.meanwhile = _load_ending
    left = engine.remove_all(removal)
    if left:
        kind = EngineRefused if removal.has_answered else EngineUnavailable
        raise kind(
            f"Cleanup could not remove everything of the job: {'; '.join(left)}. gitlab-runner"
            " calls cleanup only once. The prepare of a later job removes the rest, and so does"
            " `dind-executor reap --yes`, two minutes from now. By hand: `docker ps -aq --filter"
            f" label={context.names.owner} | xargs -r docker rm -fv; docker network ls -q"
            f" --filter label={context.names.owner} | xargs -r docker network rm; docker"
            f" volume ls -q --filter label={context.names.owner} | xargs -r docker volume rm`."
        )
    if notes.is_left(env.temp_dir, notes.DOUBTFUL_SOURCES):
        from executor.stages.sources import remove_old  # noqa: PLC0415 (rarely needed)

        remove_old(engine, env, log)


def _load_ending() -> None:
    import executor.record.meanwhile  # noqa: F401, PLC0415 (while the engine removes)
