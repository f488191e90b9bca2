"""What becomes of the sources that a slot keeps, once a job has fetched into them or failed to.

Loaded where it failed, or where it had failed before: most jobs need none of this.
"""

import time
from contextlib import suppress

from executor.engine.docker import Engine
from executor.errors import Cancelled, EngineUnavailable, ExecutorError
from executor.host.sources import recall, remember
from executor.log import AdministratorLog, complain
from executor.notation.sources import place_of
from executor.plan.sources import FAILURE, TIMEOUT, after_failure, after_success, is_due
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.runner.payload import read_job
from executor.runner.sources_note import SourcesNote, read_note
from executor.scripts.attempts import Place
from executor.scripts.gitlab_answers import gitlab_answers

_EARLY_SECONDS = 15.0
"""How long before a job's timeout, as we count it, gitlab-runner may end it: its clock starts before
ours, and runs on while prepare is tried again."""


def heed(
    place: Place, sub_stage: str, script: bytes, log: AdministratorLog, code: int | None
) -> None:
    """Remember how a script went that prepares for fetching, or fetches; see `_failed` for None."""
    note = read_note(place.env.temp_dir)
    if note is None:
        return
    if code != 0:
        _failed(note, place, script, log, cancelled=code is None)
    elif sub_stage == "get_sources":
        _succeeded(note, log)


def _succeeded(note: SourcesNote, log: AdministratorLog) -> None:
    """Have the next job fetch into the same sources."""
    record = after_success(note.record, note.generation)
    remember(note.state_dir, note.file, record)
    if note.is_trial:
        old = place_of(note.first, note.record.generation)
        log.event("fresh sources", now=place_of(note.first, note.generation), before=old)
        if not note.is_volume:
            complain(
                f"WARNING: The old sources are still in {old} on the Docker Engine's host. The"
                " administrator can remove them."
            )


def _failed(
    note: SourcesNote, place: Place, script: bytes, log: AdministratorLog, *, cancelled: bool
) -> None:
    """Count that fetching into kept sources has failed, unless GitLab is away.

    `cancelled` tells that gitlab-runner ended the script.  That counts where the job's time was over, and
    never where somebody cancelled it.
    """
    if cancelled and not _timed_out(note):
        return
    try:
        answers = gitlab_answers(place, read_job(place.env.job_response_file), script)
    except Cancelled:
        raise
    except ExecutorError:
        return  # without a payload nothing is known of GitLab
    log.event("fetching failed", gitlab_answers=answers, timed_out=cancelled)
    if not answers:
        return
    record = after_failure(note.record, note.generation, TIMEOUT if cancelled else FAILURE)
    if not remember(note.state_dir, note.file, record):
        return
    # Another attempt of this job may succeed, and then nothing has failed.
    with suppress(OSError):
        notes.leave(place.env.temp_dir, notes.DOUBTFUL_SOURCES)
    if note.is_trial:
        complain(
            "WARNING: The clone has failed as well, so the sources that this slot has kept are not"
            " the cause. They stay."
        )
    elif is_due(record):
        complain(
            "WARNING: Fetching into the sources that this slot has kept has failed, although"
            " GitLab answers. The next job of the slot clones into fresh ones."
        )


def remove_old(engine: Engine, env: RunnerEnv, log: AdministratorLog) -> None:
    """Remove volumes of sources that are not used any more; one that cannot be is tried again later."""
    note = read_note(env.temp_dir)
    if note is None or not note.is_volume:
        return
    record = recall(note.state_dir, note.file)
    left = []
    for generation in record.old:
        name = place_of(note.first, generation)
        try:
            why = engine.kept.remove_volume(name)
        except EngineUnavailable as error:
            why = str(error)
        log.event("old sources removed" if not why else "old sources stay", volume=name, error=why)
        left += [generation] if why else []
    if tuple(left) != record.old:
        remember(note.state_dir, note.file, record._replace(old=tuple(left)))


def _timed_out(note: SourcesNote) -> bool:
    early = min(_EARLY_SECONDS, note.timeout_seconds / 4)
    return time.monotonic() - note.began >= note.timeout_seconds - early
