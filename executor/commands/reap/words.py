"""How GitLab is asked whether a job is over, through python-gitlab.

A job's own token may ask about its own job, as long as that runs.  The administrator's token may ask
about every job that its user sees; it is sent to the GitLab that the administrator named, and to no
other.  Whatever is not a plain answer is no word at all: a page of a login, a redirect, an error.
"""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from executor.bounds import whole_number
from executor.sweep.answers import Ghost, judge_job
from executor.sweep.gitlab_api import tls_context
from executor.sweep.verdict import Word

if TYPE_CHECKING:
    from gitlab import Gitlab
    from requests import Response, Session

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 30.0
_ANSWER_SECONDS = 60.0
"""How long a whole answer may take, also one that comes byte by byte."""
_MOST_BYTES = 1 << 20
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
        self._job_token = job_token
        self._token = token
        self._authorities = authorities

    def own_job(self) -> Answer:
        """Return the answer to "which job is this token's"."""
        return self._get("/job")

    def job(self, project_id: int, job_id: int) -> Answer:
        """Return the answer to a question about any job."""
        return self._get(f"/projects/{project_id}/jobs/{job_id}")

    def _get(self, path: str) -> Answer:
        """Return what comes in time; what is under way then ends with the command."""
        import threading

        answers: list[Answer] = []
        asking = threading.Thread(target=lambda: answers.append(self._asked(path)), daemon=True)
        asking.start()
        asking.join(_ANSWER_SECONDS)
        return answers[0] if answers else self._silent("does not answer in time")

    def _asked(self, path: str) -> Answer:
        import gitlab
        import requests

        answers: list[Answer] = []

        def take(response: "Response", **_: object) -> None:
            """Keep what came, and have an answer end where it is longer than any that counts."""
            body = response.raw.read(_MOST_BYTES, decode_content=True)
            response.raw = BytesIO(body)
            kind = response.headers.get("Content-Type", "")
            if response.status_code == _TOO_MANY:
                answers.append(self._silent(_limited(response.headers.get("Retry-After", ""))))
            else:
                answers.append(Answer(response.status_code, kind, body))

        with requests.Session() as session:
            # A redirect could take the token to another host.
            session.max_redirects = 0
            session.hooks["response"].append(take)
            try:
                self._trust(session)
                self._client(session).http_request(
                    "get", path, streamed=True, obey_rate_limit=False
                )
            except requests.TooManyRedirects:
                return self._silent("sends elsewhere, such as to a login page")
            except requests.exceptions.SSLError:
                return self._silent(
                    "has a certificate that is not trusted: put its authority into"
                    " /etc/gitlab-runner/certs/<host>.crt"
                )
            except gitlab.GitlabError:
                pass  # whatever it is, the answer says more
            except (requests.RequestException, OSError, ValueError):
                return self._silent("does not answer")
        return answers[-1] if answers else self._silent("does not answer")

    def _silent(self, what: str) -> Answer:
        return Answer(0, reason=f"GitLab at {self._url} {what}")

    def _trust(self, session: "Session") -> None:
        """Trust the authorities that gitlab-runner trusts for this GitLab, and the system's.

        Raises OSError where there is a certificate that cannot be read.
        """
        from requests.adapters import HTTPAdapter

        if not self._url.startswith("https://"):
            return
        context = tls_context(urlsplit(self._url).hostname or "", self._authorities)

        class Trusting(HTTPAdapter):
            def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401
                super().init_poolmanager(*args, **more, ssl_context=context)

            def proxy_manager_for(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401
                return super().proxy_manager_for(*args, **more, ssl_context=context)

        session.mount("https://", Trusting())

    def _client(self, session: "Session") -> "Gitlab":
        import gitlab

        return gitlab.Gitlab(
            self._url,
            private_token=self._token or None,
            job_token=self._job_token or None,
            # requests takes two: until there is a connection, and between two pieces of an answer.
            timeout=cast("float", (_CONNECT_SECONDS, _READ_SECONDS)),
            session=session,
        )
