"""Takes containers off a network: all must be off before it can be removed."""

from _collections_abc import Callable

from executor.engine.api import Api
from executor.engine.wire import as_table
from executor.errors import EngineUnavailable

_NOT_FOUND = 404


def ends(api: Api, network: str) -> Callable[[], list[str]]:
    """Return what tells by which names whoever is on a network is taken off; nobody where it cannot."""

    def look() -> list[str]:
        try:
            answer = api.get(f"/networks/{network}")
            found = answer.json() if answer.ok else None
        except EngineUnavailable:
            return []
        return _names(as_table(as_table(found).get("Containers")))

    return look


def _names(containers: dict[str, object]) -> list[str]:
    """Return what each end on a network is called where it is taken off.

    Source: moby's daemon/network.go.  One without a container has `ep-` and its own id for a key,
    and only its name, which was the container's, takes it off by force.
    """
    return [
        str(end["Name"])
        if each.startswith("ep-") and isinstance(end, dict) and "Name" in end
        else each
        for each, end in containers.items()
    ]


def departure(api: Api, network: str, container: str) -> Callable[[], None]:
    """Return what waits until a container that leaves is off the network, and takes off one that stays.

    Source: moby's daemon/inspect.go and container_operations.go, 20.10 to 29.  The engine shows a
    container only once it has done with it, and logs an error for each disconnection of one that
    is off already.
    """
    disconnect = disconnection(api, network, container)

    def leave() -> None:
        if _is_on(api, network, container):
            disconnect()

    return leave


def _is_on(api: Api, network: str, container: str) -> bool:
    """Tell whether a container is on a network, or may be."""
    try:
        answer = api.get(f"/containers/{container}/json")
        if not answer.ok:
            return answer.status != _NOT_FOUND
        settings = as_table(as_table(answer.json()).get("NetworkSettings"))
    except EngineUnavailable:
        return False
    on = [as_table(each) for each in as_table(settings.get("Networks")).values()]
    return any(each.get("NetworkID") == network and each.get("EndpointID") for each in on)


def disconnection(api: Api, network: str, container: str) -> Callable[[], None]:
    """Return what takes a container off a network, by force; it raises nothing."""
    request = {"Container": container, "Force": True}

    def disconnect() -> None:
        try:  # noqa: SIM105 (contextlib is slow to import)
            api.post(f"/networks/{network}/disconnect", request)
        except EngineUnavailable:
            pass  # the network's own removal says why it stays

    return disconnect
