"""How GitLab is asked whether a job is over, through python-gitlab.

A job's own token may ask about its own job, as long as that runs.  The administrator's token may ask
about every job that its user sees; it is sent to the GitLab that the administrator named, and to no
other.  Whatever is not a plain answer is no word at all: a page of a login, a redirect, an error.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from executor.bounds import whole_number
from executor.commands.gitlab.line import Line
from executor.sweep.answers import Ghost, judge_job
from executor.sweep.verdict import Word

_OK, _REFUSED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 200, 401, 403, 404, 429
_LONGEST_WAIT_SECONDS = 24 * 3600

_FINAL = frozenset(("success", "failed", "canceled", "skipped"))
_LIVING = frozenset(("running", "canceling", "pending", "waiting_for_callback"))


class Answer(NamedTuple):
    """What came back, as far as it counts; a status of 0 stands for no answer, `reason` says why.

    A GitLab that limits requests gives none either.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    reason: str = ""


class Said(NamedTuple):
    """GitLab's word, and why it is none where it is none."""

    word: Word
    reason: str = ""


def own_word(answer: Answer, job_id: int) -> Said:
    """Return what an answer to a job's own token says."""
    if not answer.status:
        return Said(Word.UNANSWERED, answer.reason)
    outcome = judge_job(answer.status, answer.content_type, answer.body, job_id)
    if outcome is None:
        return Said(Word.RUNNING)
    if outcome.ghost is Ghost.OVER:
        return Said(Word.OVER)
    return Said(Word.UNANSWERED, f"GitLab: {outcome.reason}")


def administrators_word(answer: Answer, job_id: int, project_id: int, file: str) -> Said:
    """Return what an answer to the administrator's token says; `file` is where that stands."""
    if not answer.status:
        return Said(Word.UNANSWERED, answer.reason)
    said = _object(answer)
    if said is None:
        return Said(
            Word.UNANSWERED,
            f"GitLab's address answers {answer.status} with something that is not GitLab's API,"
            " such as a login page",
        )
    if answer.status == _OK:
        return _of_job(said, job_id)
    sentences = {
        _REFUSED: f"GitLab does not know the token in {file}: check that it has not expired",
        _FORBIDDEN: f"GitLab refuses the token in {file}: it needs the scope `read_api`",
        _NOT_FOUND: f"GitLab shows no job {job_id} of project {project_id} to the token in {file}: it"
        " needs the scope `read_api`, and its user at least the role Reporter in the project",
    }
    return Said(
        Word.UNANSWERED, sentences.get(answer.status, f"GitLab answers HTTP {answer.status}")
    )


def _of_job(said: Mapping[str, object], job_id: int) -> Said:
    status = said.get("status")
    if said.get("id") != job_id or isinstance(said.get("id"), bool):
        return Said(Word.UNANSWERED, "GitLab answers for another job")
    if status in _FINAL:
        return Said(Word.OVER)
    if status in _LIVING:
        return Said(Word.RUNNING)
    return Said(Word.UNANSWERED, "GitLab gives the job a status that dind-executor does not know")


def _object(answer: Answer) -> Mapping[str, object] | None:
    if answer.content_type.partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _limited(retry_after: str) -> str:
    """Return what a GitLab does that limits requests, and what then helps; it may say for how long."""
    seconds = whole_number(retry_after.strip(), _LONGEST_WAIT_SECONDS)
    when = "in some minutes" if seconds is None else f"in {seconds} seconds"
    return f"limits how often it is asked (429): run `dind-executor reap` again {when}"


class Asker:
    """Asks one GitLab with one token, of either kind."""

    def __init__(
        self, url: str, *, job_token: str = "", token: str = "", authorities: str = ""
    ) -> None:
        """Take the address and a token; `authorities` are certificates in PEM besides the host's."""
        self._url = url
        self._line = Line(url, token=token, job_token=job_token, authorities=authorities)

    def own_job(self) -> Answer:
        """Return the answer to "which job is this token's"."""
        return self._get("/job")

    def job(self, project_id: int, job_id: int) -> Answer:
        """Return the answer to a question about any job."""
        return self._get(f"/projects/{project_id}/jobs/{job_id}")

    def _get(self, path: str) -> Answer:
        """Return what comes in time."""
        reply = self._line.exchange("get", path)
        if reply.status == _TOO_MANY:
            said = _limited(reply.headers.get("retry-after", ""))
            return Answer(0, reason=f"GitLab at {self._url} {said}")
        return Answer(reply.status, reply.headers.get("content-type", ""), reply.body, reply.reason)
