"""One script in one container of the job: how often it may begin, and what is mended in between."""

from collections.abc import Callable

from executor.engine.api import Api
from executor.errors import ContainerLost
from executor.log import AdministratorLog, complain, say
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.scripts.script import run_script

_CACHES_AND_ARTIFACTS = ("restore_cache", "download_", "archive_cache", "upload_")
"""How the sub-stages begin that call gitlab-runner in the helper container."""

_NO_UMASK = "FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR"

_MOST_ATTEMPTS = 10


class Place:
    """Where a script runs."""

    __slots__ = ("api", "container", "env", "helps")

    def __init__(self, api: Api, env: RunnerEnv, container: str, *, helps: bool) -> None:
        """Name the container; `helps` tells whether it is the helper, or else the build container."""
        self.api = api
        self.env = env
        self.container = container
        self.helps = helps


def attempt(
    place: Place, sub_stage: str, script: bytes, log: AdministratorLog, wait: Callable[[], None]
) -> int:
    """Run the script and return its status, in a new container where the old one is gone.

    A script that had begun is run again only as often as the job admits, and, as under the Docker
    executor, only where its container was removed; `wait` comes before.
    """
    attempts = left = _attempts(place.env)
    is_new = False
    while True:
        try:
            return _run(place, sub_stage, script)
        except ContainerLost as lost:
            log.event("container lost", container=place.container, error=str(lost))
            if lost.exit_code:
                complain(f"WARNING: {lost}")
                _restart_later(place)
                return lost.exit_code
            if lost.begun:
                left -= 1
                _check_again(lost, left, attempts, place.container)
                say(f"Retrying {sub_stage}")
            elif is_new:
                raise
            if not _replace(place):
                raise
            if not lost.begun:
                complain(f"WARNING: {lost} A new one has taken its place.")
            is_new = True
            wait()


def _check_again(lost: ContainerLost, left: int, attempts: int, container: str) -> None:
    """Raise what was lost where the script may not begin again."""
    if not lost.removed:
        raise lost
    if not left:
        if attempts > 1:
            complain("ERROR: Execution attempts exceeded")
        raise lost
    complain(f'ERROR: Container "{container}" not found or removed. Will retry...')


def _run(place: Place, sub_stage: str, script: bytes) -> int:
    api, env, container = place.api, place.env, place.container
    if not place.helps and env.job_value(_NO_UMASK) == "true":
        from executor.scripts.ownership import give_sources  # noqa: PLC0415 (for few jobs only)

        # A job cannot set this one: gitlab-runner's own comes last.
        directory = env.job_value("RUNNER_TEMP_PROJECT_DIR") or ""
        give_sources(api, container, env.temp_dir, directory)
    if not sub_stage.startswith(_CACHES_AND_ARTIFACTS):
        return run_script(api, container, script, leftovers=lambda: _restart_later(place))
    from executor.scripts.gitlab_runner import run_with_gitlab_runner  # noqa: PLC0415 (for few jobs only)

    version = env.job_value("CI_RUNNER_VERSION") or ""
    return run_with_gitlab_runner(api, container, script, version)


def _attempts(env: RunnerEnv) -> int:
    """Return how often a sub-stage may begin; gitlab-runner has warned of a number that is none."""
    text = env.job_value("EXECUTOR_JOB_SECTION_ATTEMPTS") or ""
    attempts = int(text) if text.isdecimal() and len(text) < 3 else 1  # noqa: PLR2004
    return attempts if 1 <= attempts <= _MOST_ATTEMPTS else 1


def _restart_later(place: Place) -> None:
    """Have the build container start again before its next script; see `heed_notes`."""
    if not place.helps:
        note(place.env, notes.RESTART)


def heed_notes(api: Api, env: RunnerEnv, container: str) -> None:
    """Make the build container fit for another script, where the last one left it unfit."""
    restart = notes.is_left(env.temp_dir, notes.RESTART)
    cancelled = notes.is_left(env.temp_dir, notes.CANCELLED)
    if restart or cancelled:
        _replace(Place(api, env, container, helps=False), in_place=not cancelled)
        # Not before: a cancel may come in between.
        notes.forget(env.temp_dir, notes.RESTART)
        notes.forget(env.temp_dir, notes.CANCELLED)


def _replace(place: Place, *, in_place: bool = False) -> bool:
    """Make the container anew, or start it again; tell whether it stands."""
    # Slow to import, and a container is rarely lost.
    from executor.engine.docker import Engine  # noqa: PLC0415
    from executor.scripts.replacement import replace  # noqa: PLC0415

    return replace(Engine(place.api), place.env.temp_dir, place.container, in_place=in_place)


def note(env: RunnerEnv, what: str) -> None:
    """Leave a note for a later call."""
    try:  # noqa: SIM105 (contextlib is slow to import)
        notes.leave(env.temp_dir, what)
    except OSError:
        pass  # gitlab-runner has given up on this call, and no script comes after it
