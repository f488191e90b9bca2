"""What GitLab's answers say of a job, asked through python-gitlab."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.gitlab import line
from executor.commands.reap.words import Answer, Asker, administrators_word, own_word
from executor.sweep.verdict import Word
from tests.rig import authority
from tests.web import Answer as Sent
from tests.web import Request, Server

JSON = {"Content-Type": "application/json"}
JOB, PROJECT, FILE = 17, 3, "/etc/dind-executor/token"


def answer(status: int, body: object, kind: str = "application/json") -> Answer:
    """Return an answer with a JSON body, or with another one."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, kind, content)


# --- the job's own token -------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["running", "canceling"])
def test_a_job_that_its_own_token_shows_runs(status: str) -> None:
    """GitLab knows the token: the job is executed, by whichever host."""
    assert own_word(answer(200, {"id": JOB, "status": status}), JOB).word is Word.RUNNING


def test_a_token_that_gitlab_refuses_is_of_a_job_that_is_over() -> None:
    """401 in GitLab's own words says that the job is executed no more."""
    assert own_word(answer(401, {"message": "401 Unauthorized"}), JOB).word is Word.OVER


BAD = [
    answer(200, b"<html>Sign in</html>", "text/html"),
    answer(200, {"id": JOB, "status": "running"}, "text/html"),
    answer(200, {"id": JOB + 1, "status": "running"}),
    answer(200, {"id": True, "status": "running"}),
    answer(200, {}),
    answer(200, []),
    answer(200, b"[" * 100_000),
    answer(200, b'{"id": 17'),
    answer(401, b"<html>Authorization Required</html>", "text/html"),
    answer(401, b""),
    answer(404, {"message": "404 Not Found"}),
    answer(429, {"message": "slow down"}),
    answer(502, b"<html>Bad Gateway</html>", "text/html"),
    answer(500, {"message": "500 Internal Server Error"}),
    Answer(0, reason="GitLab at https://x does not answer"),
]


@pytest.mark.parametrize("given", BAD)
def test_anything_else_is_no_word_of_a_job(given: Answer) -> None:
    """A login page, another job, an error and silence say neither that it runs nor that it is over."""
    said = own_word(given, JOB)

    assert said.word is Word.UNANSWERED
    assert said.reason


# --- the administrator's token -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "word"),
    [
        *((each, Word.OVER) for each in ("success", "failed", "canceled", "skipped")),
        *((each, Word.RUNNING) for each in ("running", "canceling", "pending")),
        *((each, Word.UNANSWERED) for each in ("created", "", None, 7)),
    ],
)
def test_a_jobs_status(status: object, word: Word) -> None:
    """Final states are over, those with a runner are not, and unknown ones are no word."""
    given = answer(200, {"id": JOB, "status": status})

    assert administrators_word(given, JOB, PROJECT, FILE).word is word


@pytest.mark.parametrize("given", BAD)
def test_anything_else_is_no_word_for_the_administrator(given: Answer) -> None:
    """What is not a plain answer about this job decides nothing."""
    said = administrators_word(given, JOB, PROJECT, FILE)

    assert said.word is Word.UNANSWERED
    assert said.reason


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "has not expired"),
        (403, "it needs the scope `read_api`"),
        (404, "no job 17 of project 3"),
    ],
)
def test_a_refusal_names_the_token_and_what_it_needs(status: int, words: str) -> None:
    """The sentence has the file, and the scope or the role that is missing."""
    said = administrators_word(answer(status, {"message": "no"}), JOB, PROJECT, FILE)

    assert said.word is Word.UNANSWERED
    assert FILE in said.reason
    assert words in said.reason


# --- over HTTP -----------------------------------------------------------------------------------


@contextmanager
def served(respond: Callable[[Request], Sent]) -> Iterator[str]:
    """Serve a GitLab; yield its address."""
    server = Server(("127.0.0.1", 0), respond)
    with server.serving():
        yield f"http://127.0.0.1:{server.server_port}"


def test_the_own_token_travels_as_a_job_token() -> None:
    """One request with JOB-TOKEN asks for the token's own job."""
    seen: list[Request] = []

    def respond(request: Request) -> Sent:
        seen.append(request)
        return Sent(HTTPStatus.OK, b'{"id": 17, "status": "running"}', JSON)

    with served(respond) as url:
        got = Asker(url, job_token="glcbt-x").own_job()

    assert own_word(got, JOB).word is Word.RUNNING
    assert [(each.method, each.path) for each in seen] == [("GET", "/api/v4/job")]
    assert seen[0].headers["job-token"] == "glcbt-x"
    assert "private-token" not in seen[0].headers


def test_the_administrators_token_asks_about_any_job() -> None:
    """One request with PRIVATE-TOKEN asks for a job of a project."""
    seen: list[Request] = []

    def respond(request: Request) -> Sent:
        seen.append(request)
        return Sent(HTTPStatus.OK, b'{"id": 17, "status": "failed"}', JSON)

    with served(respond) as url:
        got = Asker(url, token="glpat-x").job(PROJECT, JOB)

    assert administrators_word(got, JOB, PROJECT, FILE).word is Word.OVER
    assert [(each.method, each.path) for each in seen] == [("GET", "/api/v4/projects/3/jobs/17")]
    assert seen[0].headers["private-token"] == "glpat-x"


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
@pytest.mark.parametrize("retry", ["", "3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_errors_are_answers_and_nothing_is_tried_again(status: int, retry: str) -> None:
    """Status and body come through whatever it is, and no wish of a server makes reap wait."""
    seen: list[Request] = []
    headers = {**JSON, **({"Retry-After": retry} if retry else {})}

    def respond(request: Request) -> Sent:
        seen.append(request)
        return Sent(HTTPStatus(status), b'{"message": "no"}', headers)

    with served(respond) as url:
        got = Asker(url, job_token="x").own_job()

    assert (got.status, got.body) == (status, b'{"message": "no"}')
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("retry", "when"),
    [
        ("", "in some minutes"),
        ("42", "in 42 seconds"),
        ("9" * 30, "in some minutes"),
        ("Wed, 21 Oct 2099 07:28:00 GMT", "in some minutes"),
    ],
)
def test_a_gitlab_that_limits_requests(retry: str, when: str) -> None:
    """The sentence says when to call again, as far as GitLab tells."""
    headers = {**JSON, **({"Retry-After": retry} if retry else {})}

    def respond(_: Request) -> Sent:
        return Sent(HTTPStatus.TOO_MANY_REQUESTS, b"Retry later", headers)

    with served(respond) as url:
        got = Asker(url, token="x").job(PROJECT, JOB)

    assert own_word(got, JOB) == administrators_word(got, JOB, PROJECT, FILE)
    assert got.reason.startswith(f"GitLab at {url} limits how often it is asked (429)")
    assert got.reason.endswith(when)


def test_an_answer_that_comes_byte_by_byte(mocker: MockerFixture) -> None:
    """Each byte comes in time, and the whole never: that is no answer."""
    mocker.patch.object(line, "_ANSWER_SECONDS", 0.5)
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    listener.settimeout(60)

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not ended.wait(0.05):
                connection.sendall(b"x")

    server = threading.Thread(target=trickle)
    with listener:
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        got = Asker(url, token="x").job(PROJECT, JOB)
        ended.set()
        server.join()

    assert (got.status, got.reason) == (0, f"GitLab at {url} does not answer in time")


def test_a_login_page_is_no_word() -> None:
    """GitLab behind a single sign-on answers 200 with HTML."""

    def respond(_: Request) -> Sent:
        return Sent(HTTPStatus.OK, b"<html>Sign in</html>", {"Content-Type": "text/html"})

    with served(respond) as url:
        got = Asker(url, job_token="x").own_job()

    assert own_word(got, JOB).word is Word.UNANSWERED


def test_no_token_follows_a_redirect() -> None:
    """The other host never hears of it, and the redirect is no word."""
    elsewhere: list[Request] = []

    def other(request: Request) -> Sent:
        elsewhere.append(request)
        return Sent(HTTPStatus.OK, b'{"id": 17, "status": "failed"}', JSON)

    with served(other) as target:

        def respond(_: Request) -> Sent:
            return Sent(HTTPStatus.FOUND, b"", {"Location": f"{target}/api/v4/job"})

        with served(respond) as url:
            got = Asker(url, token="glpat-x").job(PROJECT, JOB)

    assert elsewhere == []
    assert (got.status, own_word(got, JOB).word) == (0, Word.UNANSWERED)
    assert "sends elsewhere" in got.reason


def test_an_answer_without_end_is_cut() -> None:
    """At most a megabyte is read, and what is cut is no word."""

    def respond(_: Request) -> Sent:
        body = b'{"id": 17, "status": "failed", "x": "' + b"x" * (3 << 20) + b'"}'
        return Sent(HTTPStatus.OK, body, JSON)

    with served(respond) as url:
        got = Asker(url, token="x").job(PROJECT, JOB)

    assert len(got.body) == 1 << 20
    assert administrators_word(got, JOB, PROJECT, FILE).word is Word.UNANSWERED


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://[", "x://y"])
def test_a_gitlab_that_is_not_there(url: str) -> None:
    """Nothing is raised, and the sentence has the address."""
    got = Asker(url, token="x").job(PROJECT, JOB)

    assert (got.status, got.reason) == (0, f"GitLab at {url} does not answer")


def test_whose_certificate_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority that gitlab-runner knew counts; without it, a sentence says what to do."""
    monkeypatch.setattr(authority, "WORK", tmp_path)
    certificates = authority.ensure("127.0.0.1")
    known = certificates.ca.read_text()

    def respond(_: Request) -> Sent:
        return Sent(HTTPStatus.OK, b'{"id": 17, "status": "running"}', JSON)

    server = Server(("127.0.0.1", 0), respond, certificates)
    with server.serving():
        url = f"https://127.0.0.1:{server.server_port}"
        trusted = Asker(url, job_token="x", authorities=known).own_job()
        refused = Asker(url, job_token="x").own_job()

    assert own_word(trusted, JOB).word is Word.RUNNING
    assert own_word(refused, JOB).word is Word.UNANSWERED
    assert "has a certificate that is not trusted" in refused.reason
