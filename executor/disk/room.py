"""Whether there is room for a job on the engine's disks, and how that is said."""

import time
from typing import NamedTuple

from executor.disk.limits import BYTES, Limits
from executor.engine.docker import Engine
from executor.host.disk import Free, Place, all_free, places
from executor.settings.disk import DiskSettings

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_THOUSAND = 1024
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SOME = 2


class Low(NamedTuple):
    """A disk with too little room."""

    place: Place
    free: Free
    what: str
    """`bytes` or `inodes`."""


class Room(NamedTuple):
    """The engine's disks as far as they are seen, and what has to stay free there."""

    limits: Limits
    places: tuple[Place, ...]
    """Empty where none is seen from here."""
    root: str = ""
    """Where the engine's root directory is seen, "" for this process's own."""

    @classmethod
    def at(cls, engine: Engine, settings: DiskSettings) -> "Room":
        """Look where the engine's disks are; raises EngineUnavailable."""
        limits = Limits.of(settings)
        found = places(engine.kept.stores())
        root = found[0].path.removesuffix(found[0].name) if found else ""
        return cls(limits, found, root)

    def low(self) -> list[Low]:
        """Return the disks that have no room for a job."""
        return [
            Low(place, free, self.limits.level(free)[1])
            for place, free in all_free(self.places)
            if not self.limits.admits(free)
        ]

    def lacking(self) -> int:
        """Return how many bytes have to be freed until nothing has to be removed soon."""
        wanted = self.limits.ample_bytes
        return max((wanted - free.bytes for _, free in all_free(self.places)), default=0)

    def is_ample(self) -> bool:
        """Tell whether nothing has to be removed soon."""
        return all(self.limits.is_ample(free) for _, free in all_free(self.places))


def is_looked_at(settings: DiskSettings) -> bool:
    """Tell whether the administrator wants anything to stay free."""
    limits = Limits.of(settings)
    return bool(limits.floor or limits.floor_inodes)


def shortage(room: Room, low: Low) -> str:
    """Return the sentence that says what is too little where."""
    limits, (place, free, what) = room.limits, low
    if what == BYTES:
        there, wanted = size_text(free.bytes), size_text(limits.wanted_bytes)
        keys = "`[disk] floor` and `headroom`"
    else:
        there, wanted = f"{free.inodes} inodes", f"{2 * limits.floor_inodes}"
        keys = "twice `[disk] floor_inodes`"
    return (
        f"The disk of the Docker Engine's host is full: {there} are free in {place.name}, and a job"
        f" begins with {wanted} or more ({keys})."
    )


def size_text(size: float) -> str:
    """Return an amount of bytes as people read it, such as `1.5 GiB`."""
    power = 0
    while size >= _THOUSAND and power < len(_UNITS) - 1:
        size, power = size / _THOUSAND, power + 1
    return f"{size:.1f} {_UNITS[power]}".replace(".0 ", " ")


def amount_text(amount: int, what: str) -> str:
    """Return an amount of bytes or inodes as people read it."""
    return size_text(amount) if what == BYTES else f"{amount} inodes"


def age_text(at: float) -> str:
    """Return how long ago a time (in seconds since 1970) was."""
    age = max(time.time() - at, 0.0)
    for unit, seconds in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if age >= seconds * _SOME:
            return f"{age / seconds:.0f} {unit}s ago"
    return "just now"
