"""What is kept at an engine that is a stub: listed, measured, and removed one by one."""

import time
from collections.abc import Mapping
from urllib.parse import unquote

from executor.engine.docker import Engine
from executor.plan.labels import PREFIX
from tests.engine.stub import Connection, Received, StubEngine, http, refusal

DAY = 86400.0
MIB = 1024**2


def image_id(number: int) -> str:
    """Return the id of an image."""
    return f"sha256:{number:064x}"


class Shelf:
    """Volumes, images and containers of an engine."""

    def __init__(self, stub: StubEngine) -> None:
        """Have none yet."""
        self.stub = stub
        self.volumes: dict[str, dict[str, object]] = {}
        self.images: dict[str, dict[str, object]] = {}
        self.containers: list[dict[str, object]] = []
        self.sizes: dict[str, int] = {}
        stub.on("GET", "/volumes", self._list_volumes)
        stub.on("GET", "/images/json", self._list_images)
        stub.on("GET", "/containers/json", self._list_containers)
        stub.on("GET", "/system/df", self._usage)
        stub.on("DELETE", "/volumes/", self._remove_volume)
        stub.on("DELETE", "/images/", self._remove_image)

    def engine(self) -> Engine:
        """Return the engine."""
        return self.stub.engine()

    def cache(
        self,
        name: str,
        *,
        size: int = 100,
        days: float = 0.0,
        destination: str = "/cache",
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Add a volume that is kept, made so many days ago; `labels` replaces its labels."""
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY))
        own = {
            "dind-executor.type": "cache",
            f"{PREFIX}.reusable": "true",
            f"{PREFIX}.destination": destination,
        }
        self.volumes[name] = {
            "Name": name,
            "Driver": "local",
            "CreatedAt": made,
            "Labels": own if labels is None else dict(labels),
        }
        self.sizes[name] = size
        return name

    def image(self, number: int, *tags: str, size: int = 100, digests: tuple[str, ...] = ()) -> str:
        """Add an image."""
        name = image_id(number)
        self.images[name] = {"Id": name, "RepoTags": list(tags), "RepoDigests": list(digests)}
        self.sizes[name] = size
        return name

    def container(self, *volumes: str, image: str = "", state: str = "running") -> None:
        """Add a container that has volumes and an image."""
        mounts = [{"Type": "volume", "Name": each} for each in volumes]
        binds = [{"Type": "bind", "Source": "/srv"}]
        each = {"Id": f"c{len(self.containers)}", "ImageID": image, "State": state}
        self.containers.append({**each, "Mounts": [*mounts, *binds]})

    def removed(self) -> list[str]:
        """Return what was to be removed, in order."""
        return [unquote(each.path.rpartition("/")[2]) for each in self.stub.asked("DELETE", "/")]

    def _list_volumes(self, connection: Connection, _received: Received) -> None:
        connection.send(http(200, {"Volumes": list(self.volumes.values()) or None}))

    def _list_images(self, connection: Connection, _received: Received) -> None:
        connection.send(http(200, list(self.images.values())))

    def _list_containers(self, connection: Connection, _received: Received) -> None:
        connection.send(http(200, self.containers))

    def _usage(self, connection: Connection, _received: Received) -> None:
        volumes = [
            {**each, "UsageData": {"Size": self.sizes[name], "RefCount": 0}}
            for name, each in self.volumes.items()
        ]
        images = [{**each, "Size": self.sizes[name]} for name, each in self.images.items()]
        usage = {"Images": images, "Volumes": volumes, "Containers": [], "BuildCache": None}
        connection.send(http(200, usage))

    def _remove_volume(self, connection: Connection, received: Received) -> None:
        name = unquote(received.path.rpartition("/")[2])
        if any({"Type": "volume", "Name": name} in _mounts(each) for each in self.containers):
            connection.send(refusal(409, f"remove {name}: volume is in use"))
            return
        connection.send(http(204 if self.volumes.pop(name, None) else 404))

    def _remove_image(self, connection: Connection, received: Received) -> None:
        wanted = unquote(received.path.rpartition("/")[2])
        for name, each in list(self.images.items()):
            tags = each["RepoTags"]
            assert isinstance(tags, list)
            if wanted in tags:
                tags.remove(wanted)
            if wanted == name or not tags:
                del self.images[name]
        connection.send(http(200, []))


def _mounts(container: Mapping[str, object]) -> list[object]:
    mounts = container["Mounts"]
    assert isinstance(mounts, list)
    return mounts
