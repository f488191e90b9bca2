"""run: one sub-stage of the job, as a script in the helper or the build container.

This module and all that it imports load on every call; see `tests/test_imports.py`.
"""

import os
import time
from _collections_abc import Callable

from executor.engine.docker import Engine
from executor.errors import Cancelled, ScriptFailed, ServiceNotReady, SystemFailure
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.scripts.attempts import Place, attempt, heed_notes
from executor.stages.context import engine_of, run_context

HELPER_SUB_STAGES = frozenset(
    (
        "prepare_script",
        "get_sources",
        "clear_worktree",
        "restore_cache",
        "download_artifacts",
        "archive_cache",
        "archive_cache_on_failure",
        "upload_artifacts_on_success",
        "upload_artifacts_on_failure",
        "cleanup_file_variables",
    )
)
"""What gitlab-runner calls predefined: it runs where git and gitlab-runner are.  Everything else
(`build_script`, `step_*`, `after_script`) is the author's and runs in the job's image."""


def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
    """Run the script; raises ScriptFailed with its exit status unless that is 0."""
    context = run_context(env, args)
    context.open(log, step=args[-1] if args else "")
    script_path, sub_stage = _what(args)
    _forget_exit_code(env)
    script = _read(script_path)
    engine = engine_of(context)
    end_watch = _watch_disk(engine, context, env, log)
    end_logs = _follow_services(engine, env)
    try:
        run = run_sub_stage
        if sub_stage == "cleanup_file_variables":
            from executor.stages.ending import run_last  # noqa: PLC0415 (once in a job)

            run = run_last
        code = run(engine, context, env, sub_stage, script, log)
    finally:
        end_logs()
        end_watch()
    if code:
        _remember_exit_code(env, code)
        raise ScriptFailed(code)


def _follow_services(engine: Engine, env: RunnerEnv) -> Callable[[], None]:
    """Print what the services print, in a job that asks for it (CI_DEBUG_SERVICES).

    Returns what ends that.
    """
    if not notes.is_left(env.temp_dir, notes.SERVICE_LOGS):
        return lambda: None
    from executor.services.logs import read_logs  # noqa: PLC0415 (for few jobs only)

    logs = read_logs(engine, env.temp_dir)
    logs.follow()
    return logs.end


def _watch_disk(
    engine: Engine, context: RunContext, env: RunnerEnv, log: AdministratorLog
) -> Callable[[], None]:
    """Look at the engine's disks while the script runs, where prepare has seen them.

    Returns what ends that, and raises DiskOverrun where this job has filled them, as this does.
    """
    if not notes.is_left(env.temp_dir, notes.DISK):
        return lambda: None
    from executor.stages.overrun import watch_disk  # noqa: PLC0415 (only where disks are seen)

    return watch_disk(engine, context.names, env.temp_dir, log)


def run_sub_stage(
    engine: Engine,
    context: RunContext,
    env: RunnerEnv,
    sub_stage: str,
    script: bytes,
    log: AdministratorLog,
) -> int:
    """Run the script where it belongs, once dind answers, and return its exit status."""
    helps = sub_stage in HELPER_SUB_STAGES
    if not helps and (env.job_value("NO_PROXY") or env.job_value("no_proxy")):
        from executor.scripts.no_proxy import with_direct_names  # noqa: PLC0415 (for few jobs)

        script = with_direct_names(script)

    def wait() -> None:
        if not helps and sub_stage != "after_script":
            _wait_for_dind(engine, context, env, log)

    container = context.names.helper if helps else context.names.build
    place = Place(engine, env, container, helps=helps)
    wait()  # a cancel meanwhile has no script to end
    started = time.monotonic()
    if not helps:
        heed_notes(engine, env, container)
    try:
        code = attempt(place, sub_stage, script, log, wait)
    except Cancelled:
        if not helps:
            from executor.stages.cancelled import end_cancelled  # noqa: PLC0415 (rarely needed)

            end_cancelled(engine, context, env, log)
        _heed_sources(place, sub_stage, script, log, None)
        raise
    log.done("script ended", started, sub_stage=sub_stage, container=container, exit_code=code)
    if code and not helps:
        from executor.stages.dind_absence import blame  # noqa: PLC0415 (rarely needed)

        blame(engine, context, env, sub_stage, log)
    _heed_sources(place, sub_stage, script, log, code)
    return code


def _heed_sources(
    place: Place, sub_stage: str, script: bytes, log: AdministratorLog, code: int | None
) -> None:
    """Remember how it went where an earlier job may have left unusable sources.

    The code is None where that was cancelled.
    """
    left = notes.DOUBTFUL_SOURCES if code == 0 else notes.SOURCES
    if sub_stage in ("prepare_script", "get_sources") and notes.is_left(place.env.temp_dir, left):
        from executor.stages.sources import heed  # noqa: PLC0415 (rarely needed)

        heed(place, sub_stage, script, log, code)


def _what(args: list[str]) -> tuple[str, str]:
    """Return the script's path and the sub-stage: gitlab-runner puts them last."""
    if len(args) < 2:  # noqa: PLR2004
        raise SystemFailure(
            "`run` got no script. Only gitlab-runner can call it, as `run_exec` in config.toml."
        )
    return args[-2], args[-1]


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib costs 9 ms a call)
            return file.read()
    except OSError as error:
        raise SystemFailure(
            f"gitlab-runner's script {path} cannot be read: {error.strerror}. Check that the"
            " hooks run as gitlab-runner's user."
        ) from None


def _wait_for_dind(
    engine: Engine, context: RunContext, env: RunnerEnv, log: AdministratorLog
) -> None:
    from executor.services.dind import is_ready  # noqa: PLC0415 (not for the helper's)

    started = time.monotonic()
    name = context.names.dind
    if not is_ready(engine, name, env.temp_dir, context.ready_timeout):
        from executor.services.readiness import wait_until_ready  # noqa: PLC0415 (once in a job)

        try:
            wait_until_ready(engine, name, env.temp_dir, context.ready_timeout, early=True)
        except ServiceNotReady as error:
            from executor.stages.dind_absence import go_on_without  # noqa: PLC0415 (rarely needed)

            go_on_without(engine, name, env, error, log)
            return
    early = notes.is_left(env.temp_dir, notes.LISTENED)
    log.done("dind listens" if early else "dind answered", started, container=name)


def _forget_exit_code(env: RunnerEnv) -> None:
    """Remove what an earlier sub-stage left: gitlab-runner gives one path to all of them."""
    try:
        os.unlink(env.exit_code_file)  # noqa: PTH108 (pathlib costs 9 ms a call)
    except OSError:
        return


def _remember_exit_code(env: RunnerEnv, code: int) -> None:
    if env.exit_code_file:
        with open(env.exit_code_file, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(f"{code}\n")
