"""Removes what belongs to a job, found by its label alone."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

from executor.engine.api import Api
from executor.errors import EngineRefused, EngineUnavailable
from executor.log import OperatorLog
from executor.names import JobNames, removal_query
from executor.tasks import Task

Listed = list[dict[str, object]]

_ROUNDS = 5
_PAUSE_SECONDS = 0.5
_NOT_FOUND = 404
_CONFLICT = 409


def remove_all(
    api: Api, names: JobNames, log: OperatorLog, *, quiet_seconds: float = 0.0
) -> list[str]:
    """Remove the job's containers, then its network and volumes; return what is left and why.

    Gone is done: a 404 is a success.  Everything is tried, whatever fails.  It is over when a look
    finds nothing, and nothing appeared for `quiet_seconds`.
    """
    left: list[str] = []
    since = time.monotonic()
    for attempt in range(_ROUNDS):
        if attempt:
            time.sleep(_PAUSE_SECONDS * attempt)
        if _look_and_remove(api, names, log, left):
            since = time.monotonic()
        while not left and not _owned(api, names).anything:
            if time.monotonic() - since >= quiet_seconds:
                return []
            time.sleep(_PAUSE_SECONDS)
    return left or ["objects that appear as fast as they are removed"]


def _look_and_remove(api: Api, names: JobNames, log: OperatorLog, left: list[str]) -> bool:
    """Remove what is there, put what could not be removed into `left`; tell if there was any."""
    found = _owned(api, names)
    left.clear()
    if not found.anything:
        return False
    started = time.monotonic()
    left += _remove(api, found)
    log.done(
        "removed",
        started,
        containers=len(found.containers),
        networks=len(found.networks),
        volumes=len(found.volumes),
        left=len(left),
    )
    return True


class _Owned:
    """The job's objects, by kind."""

    __slots__ = ("containers", "networks", "volumes")

    def __init__(self, containers: "Listed", networks: "Listed", volumes: "Listed") -> None:
        # Each with how to remove it: a volume without a name may have to stay.
        self.containers = {str(each["Id"]): removal_query(_labels(each)) for each in containers}
        self.networks = [str(each["Id"]) for each in networks]
        self.volumes = [str(each["Name"]) for each in volumes]

    @property
    def anything(self) -> bool:
        return bool(self.containers or self.networks or self.volumes)


def _owned(api: Api, names: JobNames) -> _Owned:
    filters = quote(json.dumps({"label": [names.owner]}))
    kinds = [
        Task(lambda: _listed(api, f"/containers/json?all=1&filters={filters}")),
        Task(lambda: _listed(api, f"/networks?filters={filters}")),
        Task(lambda: _listed(api, f"/volumes?filters={filters}")),
    ]
    return _Owned(*(kind.result() for kind in kinds))


def _labels(found: dict[str, object]) -> dict[str, object]:
    labels = found.get("Labels")
    return labels if isinstance(labels, dict) else {}


def _listed(api: Api, path: str) -> "Listed":
    answer = api.get(path)
    if not answer.ok:
        raise EngineRefused(
            f"The Docker Engine cannot list what belongs to the job: {answer.message}.",
            answer.status,
        )
    decoded = answer.json()
    if isinstance(decoded, dict):
        decoded = decoded.get("Volumes")
    return decoded if isinstance(decoded, list) else []


def _remove(api: Api, found: _Owned) -> list[str]:
    _disconnect(api, found)
    removals = [
        *(_task(api, f"/containers/{each}?{query}") for each, query in found.containers.items()),
        *(_task(api, f"/networks/{each}") for each in found.networks),
    ]
    left = _failures(removals)
    volumes = [_task(api, f"/volumes/{each}?force=1") for each in found.volumes]
    return left + _failures(volumes)


def _disconnect(api: Api, found: _Owned) -> None:
    """Take the containers off the network, so that both can be removed at the same time.

    Removing a network takes as long as removing a container.  What cannot be taken off makes the
    network's removal fail, and the next round find it.  Somebody else's container that was put on
    the network is taken off too, and stays: it is not the job's.
    """
    listings = [(network, Task(_attached(api, network))) for network in found.networks]
    pairs = [
        (network, each)
        for network, listing in listings
        for each in dict.fromkeys((*found.containers, *listing.result()))
    ]
    tasks = [Task(_disconnection(api, *pair)) for pair in pairs]
    for task in tasks:
        task.result()


def _attached(api: Api, network: str) -> Callable[[], list[str]]:
    def look() -> list[str]:
        with suppress(EngineUnavailable):
            answer = api.get(f"/networks/{network}")
            found = answer.json() if answer.ok else None
            containers = found.get("Containers") if isinstance(found, dict) else None
            return list(containers) if isinstance(containers, dict) else []
        return []

    return look


def _disconnection(api: Api, network: str, container: str) -> Callable[[], object]:
    request = {"Container": container, "Force": True}

    def disconnect() -> None:
        with suppress(EngineUnavailable):
            api.post(f"/networks/{network}/disconnect", request)

    return disconnect


def _task(api: Api, path: str) -> "Task[str]":
    return Task(_removal(api, path))


def _removal(api: Api, path: str) -> Callable[[], str]:
    def remove() -> str:
        try:
            answer = api.delete(path)
        except EngineUnavailable as error:
            return str(error)
        if answer.ok or answer.status == _NOT_FOUND:
            return ""
        if answer.status == _CONFLICT and "already in progress" in answer.message:
            return ""
        return answer.message

    return remove


def _failures(tasks: "list[Task[str]]") -> list[str]:
    return [message for task in tasks if (message := task.result())]
