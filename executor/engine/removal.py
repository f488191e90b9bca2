"""Removes what belongs to a job, found by its label alone."""

import time
from _collections_abc import Callable, Sequence

from executor.engine import leaving, listing
from executor.engine.api import TIMEOUT_SECONDS, VOLUME_SECONDS, Api
from executor.engine.wire import quote
from executor.errors import EngineRefused, EngineUnavailable
from executor.log import AdministratorLog
from executor.names import JobNames, removal_query
from executor.quick_json import dumps
from executor.tasks import Task

Listed = list[dict[str, object]]

Removing = list[Task[str]]

Objects = list[tuple[str, dict[str, object]]]
"""What was listed, each with its kind: `container`, `network` or `volume`."""

PATIENCE_SECONDS = 180.0
"""How long to try again what cannot be removed: an engine that restarts breaks the jobs whose
cleanup comes at once, and gitlab-runner calls it once only."""

_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_MOST_CLEARED = 20
"""How often everything may be removed, and something be there again."""
_NOT_FOUND = 404


class Removal:
    """Whose objects to remove, and how long to try."""

    __slots__ = (
        "has_answered",
        "log",
        "meanwhile",
        "names",
        "patience_seconds",
        "quiet_seconds",
        "refusal",
        "volumes",
    )

    def __init__(self, names: JobNames, log: AdministratorLog) -> None:
        """Take the job; without more words, everything is tried with patience."""
        self.names = names
        self.log = log
        self.quiet_seconds = 0.0
        """How long nothing may have appeared."""
        self.patience_seconds = PATIENCE_SECONDS
        """How long to try again what cannot be removed."""
        self.volumes: tuple[str, ...] = ()  # without the job's label, and go with it
        self.meanwhile: Callable[[], None] | None = None
        """What the caller has to do that need not wait for the engine."""
        self.has_answered = False
        """Whether the engine has answered to one of the questions of the last look."""
        self.refusal: Callable[[Objects], str] | None = None
        """Says of each look's objects why none of them may be removed, "" where they may.

        Where it is asked, nothing is removed either when one kind of objects is not listed."""


def remove_all(api: Api, removal: Removal) -> list[str]:
    """Remove the job's containers, then its network and volumes; return what is left and why.

    Gone is done: a 404 is a success.  Everything is tried, whatever fails, and what fails is tried
    again, with growing pauses.  It is over when a look finds nothing, and nothing appeared for
    `quiet_seconds`, or when something is left after `patience_seconds`.  Without any patience, an
    engine that answers is tried twice, and one that does not once.
    """
    patience_seconds, quiet_seconds = removal.patience_seconds, removal.quiet_seconds
    deadline = time.monotonic() + patience_seconds
    volume_seconds = VOLUME_SECONDS if patience_seconds else TIMEOUT_SECONDS
    pause, again, cleared = _PAUSE_SECONDS, not patience_seconds, 0
    quiet_since: float | None = None
    while True:
        try:
            found, left = _look_and_remove(api, removal, volume_seconds)
        except EngineRefused as refused:
            return [str(refused)]
        now = time.monotonic()
        if left:
            if now >= deadline and not (again and removal.has_answered):
                return left
            time.sleep(pause)
            pause, again = min(2 * pause, _LONGEST_PAUSE_SECONDS), False
            quiet_since = None
        elif found:
            cleared += 1
            if cleared > _MOST_CLEARED:
                return ["new objects keep appearing while cleanup removes them"]
            if cleared > 1:
                time.sleep(_PAUSE_SECONDS)
            quiet_since = None
        else:
            quiet_since = now if quiet_since is None else quiet_since
            quiet_left = quiet_since + quiet_seconds - now
            if quiet_left <= 0:
                return []
            time.sleep(min(quiet_left, _PAUSE_SECONDS))


def _look_and_remove(api: Api, removal: Removal, volume_seconds: float) -> tuple[bool, list[str]]:
    """Remove what is there; tell if there was anything, what is left of it and why.

    Raises EngineRefused where nothing may be removed.

    Each kind is looked for by itself: the engine lists no volumes while it deletes one, of this job
    or another, and that may take minutes.
    """
    started = time.monotonic()
    names, log = removal.names, removal.log
    filters = quote(dumps({"label": [names.owner]}))
    removal.has_answered = False
    listings = tuple(
        Task(_asked(removal, ask))
        for ask in (
            lambda: listing.containers(api, {"label": [names.owner]}),
            lambda: listing.others(api, f"/networks?filters={filters}"),
            lambda: listing.others(api, f"/volumes?filters={filters}", volume_seconds),
        )
    )
    if removal.refusal:
        _heed(removal.refusal, *(each.result() for each in listings))
    (containers, no_containers), (networks, no_networks) = (each.result() for each in listings[:2])
    gone, without = _remove(api, containers, networks)
    if removal.meanwhile:
        removal.meanwhile()
    volumes, no_volumes = listings[2].result()
    # Those that most jobs have are known without a list.
    most = (names.builds_volume, names.docker_volume, names.socket_volume)
    known = most if removal.has_answered and no_volumes else ()
    by_name = [*known, *(str(each["Name"]) for each in volumes), *removal.volumes]
    unused = [_task(api, f"/volumes/{each}?force=1", gone) for each in by_name]
    told = [no_containers, no_networks, no_volumes, *_results([*gone, *without, *unused])]
    # An engine that does not answer says so to each question.
    left = [each for each in dict.fromkeys(told) if each]
    found = bool(containers or networks or volumes)
    if found or left:
        log.done(
            "removed",
            started,
            containers=len(containers),
            networks=len(networks),
            volumes=len(volumes),
            left=len(left),
            **({"error": "; ".join(left)} if left else {}),
        )
    return found, left


def _heed(refusal: Callable[[Objects], str], *listings: tuple[Listed, str]) -> None:
    """Raise EngineRefused with the reason for which none of what is listed may be removed."""
    kinds = zip(("container", "network", "volume"), listings, strict=True)
    objects = [(kind, each) for kind, (listed, _) in kinds for each in listed]
    if reason := next((why for _, why in listings if why), "") or refusal(objects):
        raise EngineRefused(reason)


def _labels(found: dict[str, object]) -> dict[str, object]:
    labels = found.get("Labels")
    return labels if isinstance(labels, dict) else {}


def _asked(removal: Removal, ask: "Callable[[], Listed]") -> Callable[[], "tuple[Listed, str]"]:
    """Return what lists one kind of the job's objects, and says why it cannot."""

    def look() -> "tuple[Listed, str]":
        try:
            found = ask()
        except EngineUnavailable as error:
            return [], str(error).rstrip(".")
        except EngineRefused as refused:
            removal.has_answered = True
            return [], f"The Docker Engine cannot list the job's objects: {refused}"
        removal.has_answered = True
        return found, ""

    return look


def _remove(api: Api, containers: "Listed", networks: "Listed") -> "tuple[Removing, Removing]":
    """Begin to remove containers, and networks; each results in why it cannot be removed, or "".

    A network goes as soon as all are off: that takes as long as removing a container.  What stays on
    it makes the network's removal fail, and the next round find it.  Somebody else's container that was
    put on the network is taken off too, and stays: it is not the job's.
    """
    # Each with how to remove it: a volume without a name may have to stay.
    queries = {str(each["Id"]): removal_query(_labels(each)) for each in containers}
    mine = {*queries, *(name for each in containers for name in listing.names(each))}
    names = [str(each["Id"]) for each in networks]
    listings = [(network, Task(leaving.ends(api, network))) for network in names]
    off = {
        (name, each): Task(leaving.departure(api, name, each)) for name in names for each in queries
    }
    gone = [
        _task(api, f"/containers/{each}?{query}", [off[name, each] for name in names])
        for each, query in queries.items()
    ]
    without = []
    for network, ends_on in listings:
        ends = [off[network, each] for each in queries]
        others = set(ends_on.result()) - mine
        ends += [Task(leaving.disconnection(api, network, each)) for each in others]
        without.append(_task(api, f"/networks/{network}", ends))
    return gone, without


def _task(api: Api, path: str, after: "Sequence[Task[None] | Task[str]]" = ()) -> "Task[str]":
    """Begin to remove an object once other tasks have ended; the result says why it cannot be."""

    def remove() -> str:
        for each in after:
            each.result()
        try:
            # A container takes its volumes along.
            answer = api.send("DELETE", path, timeout=VOLUME_SECONDS)
        except EngineUnavailable as error:
            return str(error).rstrip(".")
        return "" if answer.ok or answer.status == _NOT_FOUND else answer.message

    return Task(remove)


def _results(tasks: "Removing") -> list[str]:
    return [task.result() for task in tasks]
