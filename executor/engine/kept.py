"""What lasts on an engine beyond jobs: volumes and images, who has them, and how much they take."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.listing import containers, others
from executor.engine.stores import Stores, stores
from executor.engine.wire import as_table, quote
from executor.errors import EngineRefused
from executor.names import LABEL
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.quick_json import dumps

_USAGE_SECONDS = 1800.0
"""How long the engine may measure: it walks through every volume."""
_TRIES = 12
_PAUSE_SECONDS = 5.0
_NOT_FOUND = 404
_MOST_CACHE_BYTES = 1024 * 1024
"""Some 2,000 records.  The engine may be a job's own, and what it says takes memory when it is read."""
_BUSY = "a disk usage operation is already running"
"""What engines up to 20.10 say while they measure for somebody else, with the status of any fault.
Source: moby's daemon/disk_usage.go."""


class Users(NamedTuple):
    """What containers have, those that do not run among them."""

    volumes: frozenset[str]
    """By their names."""
    images: frozenset[str]
    """By their ids."""


class Kept:
    """The verbs about what lasts; each raises as those of `Engine` do."""

    __slots__ = ("_api", "_networks")

    def __init__(self, api: Api, networks: dict[str, str] | None = None) -> None:
        """Use `api`; nothing is asked yet.  `networks` has the ids by which containers join, by name."""
        self._api = api
        self._networks = {} if networks is None else networks

    def stores(self) -> Stores:
        """Return where the engine keeps all of it, and which process listens on its socket."""
        return stores(self._api)

    def volumes(self) -> list[dict[str, object]]:
        """Return all volumes as the engine lists them; raises EngineRefused."""
        return others(self._api, "/volumes", VOLUME_SECONDS)

    def networks(self) -> list[dict[str, object]]:
        """Return the networks that slots keep, as the engine lists them; raises EngineRefused."""
        filters = quote(dumps({"label": [KEPT_NETWORK_LABEL]}))
        return others(self._api, f"/networks?filters={filters}")

    def images(self) -> list[dict[str, object]]:
        """Return all images as the engine lists them; raises EngineRefused."""
        return others(self._api, "/images/json")

    def users(self) -> Users:
        """Return what is in use; raises EngineRefused where not every container is listed."""
        listed = containers(self._api, {})
        mounts = [each.get("Mounts") for each in listed]
        return Users(
            frozenset(
                str(mount["Name"])
                for each in mounts
                if isinstance(each, list)
                for mount in each
                if isinstance(mount, dict) and mount.get("Name")
            ),
            frozenset(str(each.get("ImageID")) for each in listed),
        )

    def keys_with(self, volume: str) -> frozenset[str]:
        """Return the keys of the jobs whose containers have a volume, and "" for any other container.

        Also of those that have ended, or have not begun.  Raises EngineRefused where not all are listed.
        """
        listed = containers(self._api, {"volume": [volume]})
        return frozenset(str(as_table(each.get("Labels")).get(LABEL, "")) for each in listed)

    def usage(self) -> dict[str, object]:
        """Return what takes how much, as `docker system df` has it; never on the way of a job.

        An engine that does this once at a time refuses a second request: it is waited for.  Raises
        EngineRefused.
        """
        answer = self._api.get("/system/df", timeout=_USAGE_SECONDS)
        for _ in range(_TRIES):
            if answer.ok or _BUSY not in answer.message:
                break
            time.sleep(_PAUSE_SECONDS)
            answer = self._api.get("/system/df", timeout=_USAGE_SECONDS)
        if not answer.ok:
            raise EngineRefused(
                f"The Docker Engine cannot measure what takes how much: {answer.message}."
            )
        return as_table(answer.json())

    def build_cache(self, seconds: float) -> list[dict[str, object]]:
        """Return the records of the build cache; none where the engine is older than 25, or has none.

        Also none where there are more than can be read at once.

        Raises EngineUnavailable also where it takes longer than `seconds`.
        """
        # An older one has no such question, and would measure all that it has instead.
        answer = self._api.get("/v1.44/system/df?type=build-cache", seconds)
        is_short = answer.ok and len(answer.body) <= _MOST_CACHE_BYTES
        found = as_table(answer.json()).get("BuildCache") if is_short else None
        return [as_table(each) for each in found] if isinstance(found, list) else []

    def claim(self, name: str, labels: Mapping[str, str]) -> dict[str, object]:
        """Create a volume, or find the one of its name; return the labels that the engine says it has.

        The engine makes a name once, whoever asks for it at the same time: whose labels these are has it.
        Of a volume from before its restart it may say none; `labels_of` has them.
        Raises as `volumes.ensure_volume`.
        """
        path = "/volumes/create"
        answer = self._api.post(path, {"Name": name, "Labels": labels}, timeout=VOLUME_SECONDS)
        if not answer.ok:
            from executor.engine import failures  # noqa: PLC0415 (a refusal is rare)

            raise failures.volume_failure(name, answer.status, answer.message)
        return as_table(as_table(answer.json()).get("Labels"))

    def labels_of(self, volume: str) -> dict[str, object]:
        """Return the labels of a volume; empty where there is none of the name."""
        answer = self._api.get(f"/volumes/{quote(volume, safe='')}")
        return as_table(as_table(answer.json()).get("Labels")) if answer.ok else {}

    def remove_volume(self, name: str) -> str:
        """Remove a volume that no container has; return why it stays, "" where it is gone."""
        return self._removed(f"/volumes/{quote(name, safe='')}")

    def take_network(self, name: str, identity: str) -> bool:
        """Have containers that are created join a network; not, and False, where anything is on it."""
        answer = self._api.get(f"/networks/{quote(identity, safe='')}")
        found = as_table(answer.json()) if answer.ok else {}
        if found.get("Id") != identity or found.get("Containers"):
            return False
        self._networks[name] = identity
        return True

    def remove_network(self, identity: str) -> str:
        """Remove a network that nothing is on; return why it stays, "" where it is gone."""
        return self._removed(f"/networks/{quote(identity, safe='')}")

    def remove_image(self, reference: str) -> str:
        """Remove a name of an image, and with its last one the image; return why it stays, or ""."""
        return self._removed(f"/images/{quote(reference, safe='')}")

    def _removed(self, path: str) -> str:
        answer = self._api.send("DELETE", path, timeout=VOLUME_SECONDS)
        return "" if answer.ok or answer.status == _NOT_FOUND else answer.message or "no reason"
