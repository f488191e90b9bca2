"""One exchange with GitLab: what is sent, on one connection, and what comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.gitlab.line import Line
from tests.web import Answer, Request, Server

JSON = {"Content-Type": "application/json; charset=utf-8"}


class Seen:
    """A server, and what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[Request] = []
        self.answers = list(answers)
        self.url = ""

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@contextmanager
def serving(*answers: Answer) -> Iterator[Seen]:
    """Serve answers, the last one for ever."""
    seen = Seen(*answers)
    server = Server(("127.0.0.1", 0), seen.answer)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    with server.serving():
        yield seen


@pytest.mark.parametrize(
    ("token", "job_token", "header"), [("x", "", "private-token"), ("", "x", "job-token")]
)
def test_what_is_sent(token: str, job_token: str, header: str) -> None:
    """Path, query, body and token arrive, and the reply has status, headers and body."""
    with serving(Answer(HTTPStatus.CREATED, b'{"id": 1}', {**JSON, "X-Next-Page": "2"})) as seen:
        reply = Line(seen.url, token=token, job_token=job_token).exchange(
            "post", "/user/runners", {"a": 1}, {"b": [2]}
        )

    (asked,) = seen.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/api/v4/user/runners", "a=1")
    assert (asked.json(), asked.headers[header]) == ({"b": [2]}, "x")
    assert (reply.status, reply.body, reply.content_type) == (201, b'{"id": 1}', "application/json")
    assert reply.headers["x-next-page"] == "2"


@pytest.mark.parametrize(("token", "header"), [("x", "private-token"), ("", "")])
def test_no_password_of_the_users_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, header: str
) -> None:
    """A .netrc has one for each host; the token alone counts here."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login me password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with serving(Answer(HTTPStatus.OK, b"{}", JSON)) as seen:
        Line(seen.url, token=token).exchange("post", "/runners/verify", data={})

    (asked,) = seen.asked
    assert "authorization" not in asked.headers
    assert not header or asked.headers[header] == token


def test_a_reply_that_was_cut_is_not_the_next_ones() -> None:
    """What is left of a long answer is given up with its connection."""
    long = Answer(HTTPStatus.OK, b"x" * 100_000, JSON)
    short = Answer(HTTPStatus.OK, b"[]", JSON)

    with serving(long, short) as seen:
        line = Line(seen.url, token="x", most_bytes=1000)
        replies = [line.exchange("get", "/runners") for _ in range(3)]

    assert [(each.status, len(each.body)) for each in replies] == [(200, 1000), (200, 2), (200, 2)]


def test_an_answer_without_a_body() -> None:
    """204 has none, and the connection goes on."""
    with serving(Answer(HTTPStatus.NO_CONTENT), Answer(HTTPStatus.OK, b"[]", JSON)) as seen:
        line = Line(seen.url, token="x")
        statuses = [line.exchange(verb, "/runners/1").status for verb in ("delete", "get")]

    assert statuses == [204, 200]
