"""What comes after a script whose container was lost: another container, and perhaps another try.

Loaded only where one is lost.
"""

from collections.abc import Callable

from executor.errors import ContainerLost
from executor.log import AdministratorLog, complain, say
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.scripts.attempts import Place, restart_later, run_once
from executor.scripts.replacement import replace

_MOST_ATTEMPTS = 10


def retry(
    place: Place,
    sub_stage: str,
    script: bytes,
    log: AdministratorLog,
    wait: Callable[[], None],
    lost: ContainerLost,
) -> int:
    """Run the script in a new container, as often as it may; return its status.

    `lost` tells of the container of the first try.  A script that had begun is run again only as
    often as the job allows, and, as under the Docker executor, only where its container was
    removed; `wait` comes before.  Raises ContainerLost where there is no other try.
    """
    attempts = left = _attempts(place.env)
    is_new = False
    while True:
        log.event("container lost", container=place.container, error=str(lost))
        if notes.is_left(place.env.temp_dir, notes.OVERRUN):
            raise lost  # the job itself was ended, and nobody would watch another container
        if lost.exit_code:
            complain(log.readable(f"WARNING: {lost}"))
            restart_later(place)
            return lost.exit_code
        if lost.begun:
            left -= 1
            _check_again(lost, left, attempts, place.container)
            say(f"Retrying {sub_stage}")
        elif is_new:
            raise lost
        if not replace(place.engine, place.env.temp_dir, place.container):
            raise lost
        if not lost.begun:
            # Whoever reads this need not do anything: the job goes on.
            what = str(lost).removesuffix(" Retry the job.")
            complain(log.readable(f"WARNING: {what} A new container takes its place."))
        is_new = True
        wait()
        try:
            return run_once(place, sub_stage, script)
        except ContainerLost as again:
            lost = again


def _check_again(lost: ContainerLost, left: int, attempts: int, container: str) -> None:
    """Raise what was lost where the script may not begin again."""
    if not lost.removed:
        raise lost
    if not left:
        if attempts > 1:
            complain("ERROR: Execution attempts exceeded")
        raise lost
    complain(f'ERROR: Container "{container}" not found or removed. Will retry...')


def _attempts(env: RunnerEnv) -> int:
    """Return how often a sub-stage may begin; gitlab-runner has warned of anything that is no number."""
    text = env.job_value("EXECUTOR_JOB_SECTION_ATTEMPTS") or ""
    attempts = int(text) if text.isdecimal() and len(text) < 3 else 1  # noqa: PLR2004
    return attempts if 1 <= attempts <= _MOST_ATTEMPTS else 1
