"""Ends a job in GitLab that nobody runs any more, with the job's own token.

A crash of gitlab-runner leaves its jobs running as far as GitLab knows, for about an hour.  Ended as
a failure of the runner's system, `retry: when: runner_system_failure` starts them again at once.
"""

import _thread
import time
from collections.abc import Mapping

from executor.sweep.answers import (
    GhostOutcome,
    end_request,
    judge_again,
    judge_end,
    judge_job,
    judge_trace,
    unanswered,
)
from executor.sweep.gitlab_api import CERTIFICATES, GitLabApi, Unreachable
from executor.sweep.payload import LeftPayload

_JOB = "/job"
_MOST_TRIES = 3
"""How often the end of the job log may move while a line is added to it."""


def end_ghost(
    payload: LeftPayload,
    sentence: bytes,
    deadline: float,
    *,
    environ: Mapping[str, str],
    certificates: str = CERTIFICATES,
) -> GhostOutcome:
    """End the job of a payload in GitLab, with a last line in its log.

    Returns at the deadline (of `time.monotonic`) whatever the network does: looking up a name, for
    one, cannot be interrupted.  The caller has proved that the job's gitlab-runner is dead.
    """
    api = GitLabApi(
        payload.gitlab,
        payload.token,
        deadline,
        authorities=payload.authorities,
        certificates=certificates,
        environ=environ,
    )
    outcomes: list[GhostOutcome] = []
    under_way = _thread.allocate_lock()
    under_way.acquire()

    def ask() -> None:
        try:
            outcomes.append(_end(api, payload, sentence))
        except Exception as error:  # noqa: BLE001 (a thread has nobody to raise it to)
            outcomes.append(unanswered(f"unexpected {type(error).__name__}, please report it"))
        finally:
            under_way.release()

    _thread.start_new_thread(ask, ())
    if not under_way.acquire(timeout=max(0.0, deadline - time.monotonic())):
        api.give_up()
    return outcomes[0] if outcomes else unanswered("it does not answer in time")


def _end(api: GitLabApi, payload: LeftPayload, sentence: bytes) -> GhostOutcome:
    try:
        asked = _ask(api, payload)
        if asked is not None:
            return asked
        if (refused := _append(api, payload, sentence)) is not None:
            return refused
        job = f"/jobs/{payload.job_id}"
        headers = {"Content-Type": "application/json"}
        ended = api.send("PUT", job, end_request(payload.token), headers)
        outcome = judge_end(ended.status, ended.job_status)
        return judge_again(_ask(api, payload)) if outcome is None else outcome
    except Unreachable as error:
        return unanswered(str(error))


def _ask(api: GitLabApi, payload: LeftPayload) -> GhostOutcome | None:
    """Return what became of the job; None where GitLab waits for its runner."""
    answer = api.get(_JOB)
    return judge_job(
        answer.status,
        answer.content_type,
        answer.body,
        payload.job_id,
        payload.system_id,
        is_signed=payload.is_signed,
    )


def _append(api: GitLabApi, payload: LeftPayload, sentence: bytes) -> GhostOutcome | None:
    """Add a line to the job log; return what ends it all where GitLab does not answer."""
    offset = 0
    for _ in range(_MOST_TRIES):
        headers = {
            "Content-Type": "text/plain",
            "Content-Range": f"{offset}-{offset + len(sentence) - 1}",
        }
        path = f"/jobs/{payload.job_id}/trace?debug_trace=false"
        answer = api.send("PATCH", path, sentence, headers)
        judged = judge_trace(answer.status, answer.stream_range)
        if judged.offset is None:
            return judged.outcome
        offset = judged.offset
    return None
