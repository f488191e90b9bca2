"""Reads runners and their hosts from GitLab, over a bounded number of connections."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from executor.commands.fleet.rows import Fleet, Runner, read_runner
from executor.commands.fleet.together import together
from executor.commands.gitlab.client import Client, GitLabFailed, Need

_NOT_FOUND = 404
_READ = Need("read_api", "sees these runners")


class Place(NamedTuple):
    """Which runners are meant."""

    kind: str = ""
    """`instance`, `group` or `project`; "" for all that the token's user manages."""
    name: str = ""
    """The number or the path of the group or project."""
    tags: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Return where the API lists them."""
        if self.kind == "instance":
            return "/runners/all"
        return f"/{self.kind}s/{quote(self.name, safe='')}/runners" if self.kind else "/runners"

    @property
    def query(self) -> dict[str, object]:
        """Return what narrows the list: a group's list has runners of others too."""
        kind = {"type": f"{self.kind}_type"} if self.kind else {}
        return {**kind, **({"tag_list": ",".join(self.tags)} if self.tags else {})}

    @property
    def need(self) -> Need:
        """Return what the list takes at least."""
        if self.kind == "instance":
            return Need("read_api", "has to be an administrator of GitLab")
        if self.kind:
            return Need("read_api", f"the role Maintainer or Owner in the {self.kind} {self.name}")
        return Need("read_api")


Progress = Callable[[int, int], None]
"""Takes how many runners are read, of how many."""


def read_fleet(clients: Sequence[Client], place: Place, progress: Progress) -> Fleet:
    """Return all runners of a place, each client used by one thread.

    Raises GitLabFailed where the list itself cannot be read whole.
    """
    first = clients[0]
    numbers = [
        number
        for each in first.pages(place.path, place.need, **place.query)
        if isinstance(each, Mapping) and isinstance(number := each.get("id"), int)
    ]
    numbers = list(dict.fromkeys(numbers))
    lock, done = threading.Lock(), 0

    def read(client: Client, number: int) -> Runner | str | None:
        nonlocal done
        try:
            outcome: Runner | str | None = read_one(client, number)
        except GitLabFailed as error:
            outcome = f"Runner {number}: {error}"
        with lock:
            done += 1
            progress(done, len(numbers))
        return outcome

    outcomes = together(clients, numbers, read)
    runners = [each for each in outcomes if isinstance(each, Runner)]
    failures = [each for each in outcomes if isinstance(each, str)]
    runners.sort(key=lambda each: each.id)
    return Fleet(tuple(runners), _version(first), tuple(sorted(failures)))


def read_one(client: Client, number: int) -> Runner | None:
    """Return a runner with its hosts, None for one that is not there any more.

    Raises GitLabFailed.
    """
    path = f"/runners/{number}"
    try:
        details = client.get(path, _READ)
    except GitLabFailed as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    try:
        # A fleet behind one token has hundreds of hosts.
        managers = list(client.pages(f"{path}/managers", _READ))
    except GitLabFailed as error:
        if error.status == _NOT_FOUND and _is_gone(client, path):
            return None
        raise
    if not isinstance(details, Mapping):
        raise GitLabFailed("GitLab answers with something that is not a runner.")
    return read_runner(details, managers, client.now)


def _is_gone(client: Client, path: str) -> bool:
    """Tell whether a runner was deleted, and not only its hosts are unknown to an old GitLab."""
    try:
        client.get(path, _READ)
    except GitLabFailed as error:
        return error.status == _NOT_FOUND
    return False


def _version(client: Client) -> str:
    """Return GitLab's version; "" where it does not say, which no finding is worth."""
    try:
        told = client.get("/version", _READ)
    except GitLabFailed:
        return ""
    version = told.get("version") if isinstance(told, Mapping) else None
    return version if isinstance(version, str) else ""
