"""Whose a runner's token is, and another one."""

import datetime as dt
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.gitlab.runner_tokens import Another, Owner, reset, whose
from tests.gitlab import moods, server
from tests.gitlab.registry import RunnerRow
from tests.gitlab.server import GitLab
from tests.web import Answer


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    return gitlab.registry.add({"token_expires_at": "2030-01-02T03:04:05.678Z"})


def test_a_token_has_a_runner(gitlab: GitLab, row: RunnerRow) -> None:
    """Whoever asks says which host it is; another token has none."""
    expires = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

    assert whose(gitlab.url, row.token, "s_1") == Owner(row.id, expires)
    assert list(row.managers) == ["s_1"]
    assert whose(gitlab.url, "glrt-unknownunknownunknow", "s_1") is None


@pytest.mark.parametrize(
    "mood",
    [moods.login_page, moods.broken(HTTPStatus.FORBIDDEN), moods.busy, moods.refusing],
)
def test_only_gitlab_says_that_a_token_is_dead(
    gitlab: GitLab, row: RunnerRow, mood: moods.Mood
) -> None:
    """A proxy that refuses has said nothing of it."""
    gitlab.mood = mood

    with pytest.raises(GitLabFailed):
        whose(gitlab.url, row.token, "s_1")


def test_a_token_that_gitlab_quotes(gitlab: GitLab) -> None:
    """One of an old runner does not look like a token."""
    token = "abcdefABCDEF01234567"
    body = json.dumps({"message": {"token": [f"{token} is invalid"]}}).encode()
    answer = Answer(HTTPStatus.BAD_REQUEST, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("POST", "/verify", lambda _: answer)

    with pytest.raises(GitLabFailed, match="is invalid") as raised:
        whose(gitlab.url, token, "s_1")
    assert token not in str(raised.value)


def test_another_token(gitlab: GitLab, row: RunnerRow) -> None:
    """The one before is dead; no output has the new one."""
    old = row.token
    client = Client(gitlab.url, gitlab.registry.add_user({"manage_runner"}))

    another = reset(client, row.id)

    assert another.token == row.token != old
    assert another.expires == dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert another.token not in repr(another)
    assert whose(gitlab.url, old, "s_1") is None


def test_the_least_scope_is_named(gitlab: GitLab, row: RunnerRow) -> None:
    """Reading is not enough."""
    client = Client(gitlab.url, gitlab.registry.add_user({"read_api"}))

    with pytest.raises(GitLabFailed, match="`manage_runner`"):
        reset(client, row.id)


@pytest.mark.parametrize("token", [None, "", 'a"\nb = "cdefghij', "x" * 513])
def test_what_is_no_token(gitlab: GitLab, row: RunnerRow, token: object) -> None:
    """It is written nowhere."""
    body = json.dumps({"token": token}).encode()
    answer = Answer(HTTPStatus.CREATED, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("POST", "token", lambda _: answer)
    client = Client(gitlab.url, gitlab.registry.add_user({"manage_runner"}))

    with pytest.raises(GitLabFailed, match="tells no token"):
        reset(client, row.id)


def test_dates() -> None:
    """A token without an end has none."""
    assert repr(Another("t", None)) == "Another(expires=None)"
