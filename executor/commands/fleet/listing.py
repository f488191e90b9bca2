"""Reads runners and their hosts from GitLab, over a bounded number of connections."""

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import quote

from executor.commands.fleet.rows import Fleet, Runner, read_runner
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
    reading = _Reading(dict.fromkeys(numbers), progress)
    threads = [
        threading.Thread(target=reading.work, args=(each,), daemon=True)
        for each in clients[: max(1, len(numbers))]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if reading.faults:
        raise reading.faults[0]
    runners = sorted(reading.runners, key=lambda each: each.id)
    return Fleet(tuple(runners), _version(first), tuple(sorted(reading.failures)))


class _Reading:
    """What several threads read together."""

    def __init__(self, numbers: Mapping[int, None], progress: Progress) -> None:
        self._left: SimpleQueue[int] = SimpleQueue()
        for number in numbers:
            self._left.put(number)
        self._all, self._progress = len(numbers), progress
        self._lock = threading.Lock()
        self._done = 0
        self.runners: list[Runner] = []
        self.failures: list[str] = []
        self.faults: list[Exception] = []

    def work(self, client: Client) -> None:
        """Read runners until none is left."""
        try:
            while True:
                try:
                    number = self._left.get_nowait()
                except Empty:
                    return
                self._read(client, number)
        except Exception as error:  # noqa: BLE001 (raised again by the thread that waits)
            self.faults.append(error)

    def _read(self, client: Client, number: int) -> None:
        runner, failure = None, ""
        try:
            runner = read_one(client, number)
        except GitLabFailed as error:
            failure = f"Runner {number}: {error}"
        with self._lock:
            self._done += 1
            if runner:
                self.runners.append(runner)
            if failure:
                self.failures.append(failure)
            self._progress(self._done, self._all)


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
