"""Directories of jobs that no note signs: config has not said which gitlab-runner made them.

A gitlab-runner that is killed right after a job's start leaves one, with the payload and nothing
else.  So does a config that outlives its gitlab-runner, with a note that names none.
"""

import os
from collections.abc import Collection
from itertools import islice

from executor.dataclass import replace
from executor.errors import JobPayloadError
from executor.host.system_id import runner_system_id
from executor.names import (
    DEADLINE_LABEL,
    GITLAB_LABEL,
    JOB_ID_LABEL,
    LABEL,
    PROJECT_LABEL,
    TEMP_DIR_LABEL,
    job_key,
)
from executor.notation.owner import AFTER_TIMEOUT_SECONDS, parse_note
from executor.quick_json import loads
from executor.runner import notes
from executor.runner.payload import Job, parse_job
from executor.sweep.descriptors import Refused, open_directory, read_file
from executor.sweep.files import MOST_PAYLOAD_BYTES, PAYLOAD, LeftDirectory, note_in, opened

TYPE_CHECKING = False  # the name counts for checkers, and most directories end nobody's job
if TYPE_CHECKING:
    from executor.sweep.payload import LeftPayload

_CONFIG = "/etc/gitlab-runner/config.toml"
_OURS = "dind-executor-"
_MOST_NAMES = 1_000
_TIMEOUT_SECONDS = 3600
"""GitLab's default, of a job whose payload does not say it."""


def look_without_note(
    parent: str,
    name: str,
    within: int,
    uids: Collection[int],
    noted: LeftDirectory | None = None,
) -> LeftDirectory:
    """Return what the payload in a directory says; where there is a note after all, what that says.

    Raises OSError, also where the directory may be that of another custom executor.
    """
    directory = open_directory(name, within, uids)
    try:
        if noted is not None:
            return noted._replace(is_signed=False)
        if not _may_be_ours(directory):
            raise Refused("it is another custom executor's")
        found = os.fstat(directory)
        facts = {TEMP_DIR_LABEL: f"{parent}/{name}", **_facts(name, directory, found.st_mtime)}
    finally:
        os.close(directory)
    identity = (found.st_dev, found.st_ino)
    return LeftDirectory(parent, name, identity, found.st_uid, facts, is_signed=False)


def is_still_unsigned(left: LeftDirectory) -> bool:
    """Tell whether a directory is there, and no note names the gitlab-runner that made it."""
    try:
        with opened(left.parent) as parent:
            directory = open_directory(left.name, parent, (left.uid,))
            try:
                found = os.fstat(directory)
                is_same = (found.st_dev, found.st_ino) == left.identity
                noted = parse_note(note_in(directory, notes.OWNER))
            finally:
                os.close(directory)
    except OSError:
        return False
    return is_same and not (noted and (noted.owner or noted.container))


def with_what_is_known(payload: "LeftPayload", left: LeftDirectory, own: str) -> "LeftPayload":
    """Return a payload with how its GitLab and this host's gitlab-runner are known to each other.

    No note says it of the dead one.  So what counts is what the job in `own` knows of the same GitLab,
    or where no job looks, the id of a gitlab-runner that lives, or of the usual configuration.
    """
    noted = parse_note(notes.read(own, notes.OWNER) or b"") if own else None
    if noted and noted.gitlab == payload.gitlab:
        authorities = (notes.read(own, notes.AUTHORITIES) or b"").decode("ascii", "ignore")
        system_id = (notes.read(own, notes.SYSTEM_ID) or b"").decode("ascii", "ignore")
        payload = replace(payload, authorities=authorities or payload.authorities)
    else:
        system_id = _system_id(left)
    return replace(payload, system_id=system_id, is_signed=False)


def _system_id(left: LeftDirectory) -> str:
    from executor.sweep.makers import Unseen, makers  # noqa: PLC0415 (only `reap` comes here)

    try:
        living = [each.pid for each in makers(left.parent, left.uid)]
    except (OSError, Unseen):
        living = []
    found = (runner_system_id(pid, _CONFIG) for pid in (*living, 0))
    return next((each for each in found if each), "")


def _may_be_ours(directory: int) -> bool:
    """Tell whether no stage of anybody has left anything here, or one of ours has."""
    with os.scandir(directory) as listed:
        names = {each.name for each in islice(listed, _MOST_NAMES)}
    return names <= {PAYLOAD} or any(each.startswith(_OURS) for each in names)


def _facts(name: str, directory: int, made: float) -> dict[str, str]:
    """Return what the payload says of the job as a note does; `made` is in seconds since 1970.

    What gitlab-runner has not written to its end is of a job that nobody can name.
    """
    try:
        job = parse_job(loads(read_file(PAYLOAD, directory, MOST_PAYLOAD_BYTES)))
        facts = _facts_of(job)
        timeout = job.timeout_seconds
    except (OSError, ValueError, RecursionError, JobPayloadError):
        facts, timeout = {LABEL: name}, _TIMEOUT_SECONDS
    # The clock may be wrong: it decides for how long GitLab is asked, and not about a job that lives.
    return {**facts, DEADLINE_LABEL: str(max(0, int(made) + timeout + AFTER_TIMEOUT_SECONDS))}


def _facts_of(job: Job) -> dict[str, str]:
    """Return a job's facts; raises ValueError of one without a repository, which has no key."""
    if not job.repo_url or job.id <= 0:
        raise ValueError("it is gitlab-runner's own job")
    return {
        LABEL: job_key(job.id, job.token, job.repo_url),
        JOB_ID_LABEL: str(job.id),
        PROJECT_LABEL: str(job.project_id),
        GITLAB_LABEL: job.gitlab_url,
    }
