"""Who is asked about which job, and what is never sent where."""

import json
import os
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.gitlab.tokens import UnusableToken
from executor.commands.reap.asking import Asking, TokenFile, read_token
from executor.names import LABEL
from executor.notation.owner import Belonging
from executor.runner import notes
from executor.sweep.files import LeftDirectory, find_left
from executor.sweep.jobs import Found
from executor.sweep.verdict import Word
from tests.builders import a_payload
from tests.web import Answer, Request, Server

JSON = {"Content-Type": "application/json"}
KEY = "1001-abc"


class GitLab:
    """A GitLab that answers each token as it is told to, and notes who asked for what."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.own: Answer = Answer(HTTPStatus.OK, b'{"id": 1001, "status": "running"}', JSON)
        self.any: Answer = Answer(HTTPStatus.OK, b'{"id": 1001, "status": "failed"}', JSON)
        self.url = ""

    def answer(self, request: Request) -> Answer:
        headers = request.headers
        self.seen.append(
            (request.path, headers.get("job-token", "") or headers.get("private-token", ""))
        )
        return self.own if request.path.endswith("/job") else self.any


@pytest.fixture(name="gitlab")
def _gitlab() -> Iterator[GitLab]:
    gitlab = GitLab()
    server = Server(("127.0.0.1", 0), gitlab.answer)
    with server.serving():
        gitlab.url = f"http://127.0.0.1:{server.server_port}"
        yield gitlab


def a_job(gitlab: str, *directories: LeftDirectory, **more: str) -> Found:
    """Return what was found of a job."""
    said = Belonging(
        KEY, more.get("job_id", "1001"), more.get("project_id", "7"), None, gitlab=gitlab
    )
    return Found(KEY, (said,), (), directories)


def left_by(
    directory: Path, gitlab: str, *, job_id: int = 1001, payload: bytes | None = None
) -> LeftDirectory:
    """Leave a job's temporary directory as a dead gitlab-runner does; return what is found of it."""
    temp_dir = directory / "custom-executor7"
    temp_dir.mkdir(mode=0o700)
    (temp_dir / notes.OWNER).write_text(json.dumps({LABEL: KEY}))
    scheme, _, host = gitlab.partition("://")
    repo_url = f"{scheme}://gitlab-ci-token:glcbt-own@{host}/group/project.git"
    job = a_payload(id=job_id, token="glcbt-own", git_info={"repo_url": repo_url})
    (temp_dir / "response.json").write_bytes(payload or json.dumps(job).encode())
    (left,) = find_left(str(directory), "", {os.getuid()})
    return left


def a_token(tmp_path: Path, url: str, content: str = "glpat-admin\n") -> TokenFile:
    """Return the administrator's token from a file of its own."""
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    return read_token(str(path), url)


# --- who is asked --------------------------------------------------------------------------------


def test_the_jobs_own_token_comes_first(gitlab: GitLab, tmp_path: Path) -> None:
    """Where the payload is still there, it is enough, and the administrator's token stays here."""
    left = left_by(tmp_path, gitlab.url)

    said = Asking(a_token(tmp_path, gitlab.url)).ask(a_job(gitlab.url, left))

    assert said.word is Word.RUNNING
    assert gitlab.seen == [("/api/v4/job", "glcbt-own")]


def test_a_job_that_is_over_by_its_own_token(gitlab: GitLab, tmp_path: Path) -> None:
    """GitLab refuses it in words of its own, and that is a word."""
    gitlab.own = Answer(HTTPStatus.UNAUTHORIZED, b'{"message": "401 Unauthorized"}', JSON)
    left = left_by(tmp_path, gitlab.url)

    assert Asking(None).ask(a_job(gitlab.url, left)).word is Word.OVER


def test_the_administrators_token_where_there_is_no_payload(gitlab: GitLab, tmp_path: Path) -> None:
    """The job's project and number, which its labels tell, are asked for."""
    said = Asking(a_token(tmp_path, f"{gitlab.url}/")).ask(a_job(gitlab.url))

    assert said.word is Word.OVER
    assert gitlab.seen == [("/api/v4/projects/7/jobs/1001", "glpat-admin")]


def test_the_administrators_token_where_the_own_one_says_nothing(
    gitlab: GitLab, tmp_path: Path
) -> None:
    """An error for the one is no reason not to ask with the other."""
    gitlab.own = Answer(HTTPStatus.NOT_FOUND, b'{"error": "404 Not Found"}', JSON)
    left = left_by(tmp_path, gitlab.url)

    said = Asking(a_token(tmp_path, gitlab.url)).ask(a_job(gitlab.url, left))

    assert said.word is Word.OVER


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b"",
        b"{}",
        b'{"id": 1001, "token": "x\\r\\ny"}',
        b" " * (17 << 20) + b"{}",
    ],
)
def test_a_payload_that_cannot_be_used(gitlab: GitLab, tmp_path: Path, payload: bytes) -> None:
    """What is not what gitlab-runner writes, or is too long, asks nobody and stops nothing."""
    left = left_by(tmp_path, gitlab.url, payload=payload or b"\0")

    said = Asking(None).ask(a_job(gitlab.url, left))

    assert said.word is Word.NOT_ASKED
    assert gitlab.seen == []


def test_a_payload_of_another_job(gitlab: GitLab, tmp_path: Path) -> None:
    """A directory whose payload is not the job's says nothing about it."""
    left = left_by(tmp_path, gitlab.url, job_id=1002)

    assert Asking(None).ask(a_job(gitlab.url, left)).word is Word.NOT_ASKED
    assert gitlab.seen == []


# --- what is never sent where --------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["", "https://gitlab.example.org", "{url}.example.org", "{url}/x"]
)
def test_the_administrators_token_goes_to_one_gitlab(
    gitlab: GitLab, tmp_path: Path, label: str
) -> None:
    """A label that names another address, or none, gets nothing; a sentence names both."""
    job = a_job(label.format(url=gitlab.url))

    said = Asking(a_token(tmp_path, gitlab.url)).ask(job)

    assert (said.word, gitlab.seen) == (Word.NOT_ASKED, [])
    assert f"the token is for {gitlab.url}" in said.reason


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "1" * 20, "\u0661\u0660", "1/../2", "1 "])
def test_numbers_that_are_none(gitlab: GitLab, tmp_path: Path, number: str) -> None:
    """A label that is no number of GitLab's reaches no address."""
    asking = Asking(a_token(tmp_path, gitlab.url))

    for job in (a_job(gitlab.url, job_id=number), a_job(gitlab.url, project_id=number)):
        assert asking.ask(job).word is Word.NOT_ASKED
    assert gitlab.seen == []


def test_one_number_in_two_gitlabs(gitlab: GitLab, tmp_path: Path) -> None:
    """A job of the same number is asked about where it belongs to, and nowhere else."""
    other = GitLab()
    other.any = Answer(HTTPStatus.OK, b'{"id": 1001, "status": "running"}', JSON)
    server = Server(("127.0.0.1", 0), other.answer)
    with server.serving():
        other.url = f"http://127.0.0.1:{server.server_port}"
        ours, theirs = a_job(gitlab.url), a_job(other.url)

        asking = Asking(a_token(tmp_path, gitlab.url))
        assert (asking.ask(ours).word, asking.ask(theirs).word) == (Word.OVER, Word.NOT_ASKED)
        asking = Asking(a_token(tmp_path, other.url))
        assert (asking.ask(ours).word, asking.ask(theirs).word) == (Word.NOT_ASKED, Word.RUNNING)


def test_without_a_token_a_sentence_says_how_to_ask(gitlab: GitLab) -> None:
    """Nobody is asked, and the option is named."""
    said = Asking(None).ask(a_job(gitlab.url))

    assert (said.word, gitlab.seen) == (Word.NOT_ASKED, [])
    assert "--gitlab-token-file" in said.reason


def test_a_gitlab_that_is_silent_is_asked_once(tmp_path: Path) -> None:
    """A hundred jobs of a GitLab that is away wait for one timeout only."""
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        asked.append(request)
        return Answer(HTTPStatus.FOUND, b"", {"Location": "/users/sign_in"})

    server = Server(("127.0.0.1", 0), respond)
    with server.serving():
        url = f"http://127.0.0.1:{server.server_port}"
        asking = Asking(a_token(tmp_path, url))
        said = [asking.ask(a_job(url, job_id=str(number))) for number in range(1, 6)]

    assert {each.word for each in said} == {Word.UNANSWERED}
    assert len(asked) == 1


# --- the administrator's token -------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", ["", "\n", "two tokens", "a\nb", "tök", "x" * 5000, "\x00", "a\tb"]
)
def test_a_file_without_one_token(tmp_path: Path, content: str) -> None:
    """The sentence names the file and nothing of its content."""
    with pytest.raises(UnusableToken, match="must have one token in it") as raised:
        a_token(tmp_path, "https://gitlab.example.com", content)

    assert str(tmp_path / "token") in str(raised.value)
    assert content.strip() == "" or content not in str(raised.value)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o666])
def test_a_token_that_others_may_read_or_change(tmp_path: Path, mode: int) -> None:
    """It is refused with the command that corrects it; a group may read it."""
    path = tmp_path / "token"
    path.write_text("glpat-x")
    path.chmod(mode)

    with pytest.raises(UnusableToken, match=f"`chmod 600 {path}`"):
        read_token(str(path), "https://gitlab.example.com")
    path.chmod(0o640)
    assert read_token(str(path), "https://gitlab.example.com").token == "glpat-x"


def test_a_token_file_that_is_missing(tmp_path: Path) -> None:
    """The sentence has the reason."""
    with pytest.raises(UnusableToken, match="cannot be read: No such file"):
        read_token(str(tmp_path / "none"), "https://gitlab.example.com")


@pytest.mark.parametrize(
    ("url", "words"), [("", "name its address with --gitlab-url"), ("gitlab", "is no address")]
)
def test_a_token_without_its_gitlab(tmp_path: Path, url: str, words: str) -> None:
    """A token is for one GitLab, which the administrator names."""
    with pytest.raises(UnusableToken, match=words):
        read_token(str(tmp_path / "token"), url)


def test_a_token_is_shown_nowhere(tmp_path: Path) -> None:
    """Whatever prints what reap works with prints the file's name."""
    assert "glpat" not in repr(a_token(tmp_path, "https://gitlab.example.com"))
