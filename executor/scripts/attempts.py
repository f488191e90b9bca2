"""One script in one container of the job: how often it may begin, and what is repaired in between."""

from _collections_abc import Callable

from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.scripts.script import run_script

_CACHES_AND_ARTIFACTS = ("restore_cache", "download_", "archive_cache", "upload_")
"""How the sub-stages begin that call gitlab-runner in the helper container."""

_NO_UMASK = "FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR"


class Place:
    """Where a script runs."""

    __slots__ = ("container", "engine", "env", "helps")

    def __init__(self, engine: Engine, env: RunnerEnv, container: str, *, helps: bool) -> None:
        """Name the container; `helps` tells whether it is the helper, or else the build container."""
        self.engine = engine
        self.env = env
        self.container = container
        self.helps = helps


def attempt(
    place: Place, sub_stage: str, script: bytes, log: AdministratorLog, wait: Callable[[], None]
) -> int:
    """Run the script and return its status, in a new container where the old one is gone.

    A script that had begun is run again only as often as the job allows, and, as under the Docker
    executor, only where its container was removed; `wait` comes before.
    """
    try:
        return run_once(place, sub_stage, script)
    except ContainerLost as lost:
        from executor.scripts.retries import retry  # noqa: PLC0415 (rarely needed)

        return retry(place, sub_stage, script, log, wait, lost)


def run_once(place: Place, sub_stage: str, script: bytes) -> int:
    """Run the script and return its status.  Raises ContainerLost."""
    engine, env, container = place.engine, place.env, place.container
    if not place.helps and env.job_value(_NO_UMASK) == "true":
        from executor.scripts.ownership import give_sources  # noqa: PLC0415 (for few jobs only)

        # A job cannot set this one: gitlab-runner's own comes last.
        directory = env.job_value("RUNNER_TEMP_PROJECT_DIR") or ""
        give_sources(engine, container, env.temp_dir, directory)
    if not sub_stage.startswith(_CACHES_AND_ARTIFACTS):
        return run_script(engine, container, script, leftovers=lambda: restart_later(place))
    from executor.scripts.gitlab_runner import run_with_gitlab_runner  # noqa: PLC0415 (for few jobs only)

    version = env.job_value("CI_RUNNER_VERSION") or ""
    return run_with_gitlab_runner(engine, container, script, version)


def restart_later(place: Place) -> None:
    """Have the build container start again before its next script; see `heed_notes`."""
    if not place.helps:
        note(place.env, notes.RESTART)


def heed_notes(engine: Engine, env: RunnerEnv, container: str) -> None:
    """Make the build container fit for another script, where the last one left it unfit."""
    restart = notes.is_left(env.temp_dir, notes.RESTART)
    cancelled = notes.is_left(env.temp_dir, notes.CANCELLED)
    if restart or cancelled:
        from executor.scripts.replacement import replace  # noqa: PLC0415 (rarely needed)

        replace(engine, env.temp_dir, container, in_place=not cancelled)
        # Not before: a cancel may come in between.
        notes.forget(env.temp_dir, notes.RESTART)
        notes.forget(env.temp_dir, notes.CANCELLED)


def note(env: RunnerEnv, what: str) -> None:
    """Leave a note for a later call."""
    try:  # noqa: SIM105 (contextlib is slow to import)
        notes.leave(env.temp_dir, what)
    except OSError:
        pass  # gitlab-runner has given up on this call, and no script comes after it
