"""What jobs have at an engine that is a stub: listed by label, and removed one by one."""

import json
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from executor.engine.docker import Engine
from executor.notation.owner import Belonging
from tests.engine.stub import Answer, Connection, Received, StubEngine, http
from tests.sweep.left import objects_of

_LISTS = {
    "container": r"/containers/json",
    "network": r"/networks\?",
    "volume": r"/volumes\?",
}


class Belongings:
    """The objects that are there."""

    def __init__(self, stub: StubEngine) -> None:
        """Have none yet."""
        self.stub = stub
        self.there: dict[str, tuple[str, dict[str, object]]] = {}
        for kind, path in _LISTS.items():
            stub.on("GET", path, self._listing(kind))
        stub.on("GET", "/networks/id-", http(200, {"Containers": None}))
        stub.on("POST", "/disconnect", http(200))
        stub.on("DELETE", "/", self._remove)

    def have(self, objects: Iterable[tuple[str, dict[str, object]]]) -> None:
        """Add objects."""
        for kind, each in objects:
            self.there[str(each.get("Id") or each["Name"])] = (kind, each)

    def have_jobs(self, *said: Belonging) -> None:
        """Add a container, the network and a volume of each job."""
        for each in said:
            self.have(objects_of(each))

    def names(self) -> list[str]:
        """Return the ids of what is there."""
        return sorted(self.there)

    def engine(self) -> Engine:
        """Return the engine as a sweep sees it."""
        return self.stub.engine()

    def deleted(self) -> list[str]:
        """Return what was to be removed, in order."""
        return [each.path.partition("?")[0] for each in self.stub.asked("DELETE", "/")]

    def _listing(self, kind: str) -> Answer:
        def answer(connection: Connection, received: Received) -> None:
            (filters,) = parse_qs(urlsplit(received.path).query)["filters"]
            (label,) = json.loads(filters).get("label", ("",))
            listed = [
                each
                for its, each in list(self.there.values())
                if its == kind and _has(each.get("Labels"), label)
            ]
            connection.send(http(200, {"Volumes": listed or None} if kind == "volume" else listed))

        return answer

    def _remove(self, connection: Connection, received: Received) -> None:
        name = received.path.partition("?")[0].rpartition("/")[2]
        connection.send(http(204 if self.there.pop(name, None) else 404, None))


def _has(labels: object, wanted: str) -> bool:
    key, is_pair, value = wanted.partition("=")
    if not key:
        return True
    return isinstance(labels, dict) and key in labels and (not is_pair or labels[key] == value)
