"""What GitLab's answers mean for a job whose gitlab-runner is dead.

Pure: no I/O.  Whoever asks GitLab, with whatever client, decides by these.  No sentence here quotes
what a server said: it may repeat the token.
"""

from enum import Enum
from typing import NamedTuple

from executor.bounds import whole_number
from executor.quick_json import dumps, loads

EXECUTING = ("running", "canceling")
"""What GitLab calls the states in which a job needs its runner."""

_OVER = ("success", "failed", "canceled", "skipped")
_OK, _ACCEPTED = 200, 202
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_TIMEOUT, _RANGE, _TOO_MANY = 408, 416, 429
_ADVICE = {_TOO_MANY: ", as it limits how often it is asked: the next sweep tries again"}
_CLIENT_ERRORS = range(400, 500)
_LARGEST_OFFSET = 10**15
_LONGEST_HOST = 253
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Ghost(Enum):
    """What became of a job that nobody runs any more."""

    ENDED = "ended"
    """GitLab has taken its end."""
    OVER = "over"
    """It had ended before, as far as GitLab is concerned, or another gitlab-runner has it."""
    UNANSWERED = "unanswered"
    """GitLab did not say: its payload is still needed."""
    UNUSABLE = "unusable"
    """Nothing can be said to GitLab, now or later: what is left of its payload is none."""


class GhostOutcome(NamedTuple):
    """What became of a ghost, and why it is not known if it is not."""

    ghost: Ghost
    reason: str = ""


class TraceAnswer(NamedTuple):
    """What to do after an attempt to add to the job log."""

    offset: int | None = None
    """Where the job log really ends: to be tried again there."""
    outcome: GhostOutcome | None = None
    """That this was all: GitLab cannot be asked for more now."""


def unanswered(reason: str) -> GhostOutcome:
    """Return that GitLab did not say, and why."""
    return GhostOutcome(Ghost.UNANSWERED, reason)


def last_line(host: str) -> bytes:
    """Return the end of a ghost's job log, as gitlab-runner writes that of other jobs."""
    name = "".join(each for each in host[:_LONGEST_HOST] if each in _HOST) or "its host"
    return (
        f"\n\x1b[0K\x1b[31;1mERROR: Job failed (system failure): gitlab-runner on {name} ended"
        " before the job did. dind-executor found that out and has ended the job. `retry: when:"
        " runner_system_failure` runs such a job again.\x1b[0;m\n"
    ).encode()


def end_request(token: str) -> bytes:
    """Return the body that ends a job: without a checksum, GitLab ends it at once."""
    said = {"token": token, "state": "failed", "failure_reason": "runner_system_failure"}
    return dumps(said).encode()


def judge_job(
    status: int,
    content_type: str,
    body: bytes,
    job_id: int,
    system_id: str = "",
    *,
    is_signed: bool = True,
) -> GhostOutcome | None:
    """Judge the answer to `GET /job` with the job's token; None where GitLab waits for its runner.

    A 401 says that the token is one of no job that runs; only GitLab's API says it as JSON.  A job
    whose start GitLab did not hear of runs elsewhere by now, with the same token: that gitlab-runner
    has another id than `system_id`.  Where no note says that this was the dead one's, another id proves
    nothing.
    """
    said = _object(content_type, body)
    if said is None:
        return unanswered(
            f"it answers {status} with something that is not GitLab's API, such as a login page"
        )
    if status == _UNAUTHORIZED:
        return GhostOutcome(Ghost.OVER)
    if status != _OK:
        return unanswered(f"it answers {status}{_ADVICE.get(status, '')}")
    return _judge_described(said, job_id, system_id, is_signed=is_signed)


def _judge_described(
    said: dict[str, object], job_id: int, system_id: str, *, is_signed: bool
) -> GhostOutcome | None:
    if said.get("id") != job_id or isinstance(said.get("id"), bool):
        return unanswered("it answers for another job")
    if said.get("status") not in EXECUTING:
        return unanswered("the job has not started as far as GitLab knows")
    manager = said.get("runner_manager")
    elsewhere = manager.get("system_id") if isinstance(manager, dict) else None
    if not isinstance(elsewhere, str) or elsewhere in ("", system_id):
        return None
    if not is_signed:
        return unanswered("another gitlab-runner may have the job, as far as it tells")
    return GhostOutcome(Ghost.OVER) if system_id else None


def judge_trace(status: int, stream_range: str) -> TraceAnswer:
    """Judge the answer to an addition to the job log; its `Range` says where the log ends.

    A log that takes no more stands in nobody's way: the job still ends.
    """
    if status == _RANGE:
        end = stream_range.rpartition("-")[2]
        return TraceAnswer(offset=whole_number(end, _LARGEST_OFFSET))
    if status == _ACCEPTED or (
        status in _CLIENT_ERRORS and status not in (_UNAUTHORIZED, _TIMEOUT, _TOO_MANY)
    ):
        return TraceAnswer()
    advice = _ADVICE.get(status, "")
    return TraceAnswer(
        outcome=unanswered(f"it answers {status} to an addition to the job log{advice}")
    )


def judge_end(status: int, job_status: str) -> GhostOutcome | None:
    """Judge the answer to the request that ends the job; None where `GET /job` has to tell.

    `job_status` is what `Job-Status` says; not every version of GitLab says it at success.
    """
    if status == _OK:
        return GhostOutcome(Ghost.ENDED) if job_status in _OVER else None
    if status == _FORBIDDEN and job_status in _OVER:
        return GhostOutcome(Ghost.OVER)
    return unanswered(f"it answers {status} to the end of the job{_ADVICE.get(status, '')}")


def judge_again(outcome: GhostOutcome | None) -> GhostOutcome:
    """Judge what `GET /job` says after an end that GitLab took without saying so."""
    if outcome is None:
        return unanswered("the job goes on as far as GitLab knows")
    return GhostOutcome(Ghost.ENDED) if outcome.ghost is Ghost.OVER else outcome


def _object(content_type: str, body: bytes) -> dict[str, object] | None:
    """Return the JSON object of an answer; None where it is none."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        said = loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
