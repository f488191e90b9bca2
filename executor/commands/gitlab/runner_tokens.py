"""Runners' tokens in GitLab: whose one is, and another one in its place."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import NamedTuple

from executor.commands.gitlab.client import Client, GitLabFailed, Need

WRITE = Need("manage_runner", "has to be its owner, or an administrator")
_VERIFY = Need("none")
_TOKEN = re.compile(r"(?a:[\w.-]{8,512})")
_FORBIDDEN = 403


class Another(NamedTuple):
    """The token that counts from now on."""

    token: str
    expires: dt.datetime | None
    """When it ends; None where it does not."""

    def __repr__(self) -> str:
        """Keep the token to itself."""
        return f"Another(expires={self.expires})"


class Owner(NamedTuple):
    """The runner that a token is of."""

    number: int
    expires: dt.datetime | None = None
    """When the token ends; None where it does not."""


def whose(url: str, token: str, system_id: str) -> Owner | None:
    """Return the runner of a token, None for a token that GitLab does not know.

    It counts as a call of the host, which must have called before: GitLab would take a host that
    has said nothing of itself for one without features.  Raises GitLabFailed.
    """
    client = Client(url, "", "the runner's token")
    try:
        told = client.post("/runners/verify", _VERIFY, {"token": token, "system_id": system_id})
    except GitLabFailed as error:
        if error.status == _FORBIDDEN and error.is_gitlabs:
            return None
        raise
    said = told if isinstance(told, Mapping) else {}
    number = said.get("id")
    if not isinstance(number, int):
        raise GitLabFailed(f"GitLab at {client.url} does not say whose a runner's token is.")
    return Owner(number, _time(said.get("token_expires_at")))


def reset(client: Client, number: int) -> Another:
    """Have GitLab make another token of a runner: the one before counts no more.

    Raises GitLabFailed.
    """
    told = client.post(f"/runners/{number}/reset_authentication_token", WRITE, {})
    said = told if isinstance(told, Mapping) else {}
    token = said.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise GitLabFailed(f"GitLab at {client.url} tells no token of runner {number}.")
    return Another(token, _time(said.get("token_expires_at")))


def _time(value: object) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = dt.datetime.fromisoformat(value)
        return at.astimezone(dt.UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
