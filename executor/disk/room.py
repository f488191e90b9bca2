"""Whether there is room for a job on the engine's disks, and how that is said."""

from typing import NamedTuple

from executor.disk.limits import BYTES, Limits
from executor.engine.docker import Engine
from executor.host.disk import Free, Place, all_free, places
from executor.notation.sizes import size_text
from executor.settings.disk import DiskSettings


class Low(NamedTuple):
    """A disk with too little room."""

    place: Place
    free: Free
    what: str
    """`bytes` or `inodes`."""


Disk = tuple[Place, Free]


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

    def low_kinds(self) -> frozenset[str]:
        """Return what is kept on the disks that have no room for a job: `VOLUMES`, `IMAGES`.

        To remove what is kept on other disks would not help.
        """
        return frozenset(what for each in self.low() for what in each.place.keeps)

    def scarce_kinds(self) -> frozenset[str]:
        """Return the same of the disks on which something has to be removed soon."""
        return frozenset(what for place, _ in self._scarce() for what in place.keeps)

    def lacking(self) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Return how many bytes have to be freed on such disks, each with what is kept there."""
        wanted = self.limits.ample_bytes
        return tuple((place.keeps, wanted - free.bytes) for place, free in self._scarce())

    def too_small(self) -> list[Disk]:
        """Return the disks that would have no room for a job if they were empty."""
        return [each for each in all_free(self.places) if not self.limits.are_met_by(each[1])]

    def misfit(self, disk: Disk) -> str:
        """Return the sentence that says that a disk is too small."""
        (place, free), wanted = disk, size_text(self.limits.wanted_bytes)
        return (
            f"`[disk] floor` and `headroom` want {wanted} to be free in {place.name}, where there are"
            f" {size_text(free.size)} in all: make them smaller, or the disk larger."
        )

    def _scarce(self) -> list[Disk]:
        return [
            each
            for each in all_free(self.places)
            if self.limits.are_met_by(each[1]) and not self.limits.is_ample(each[1])
        ]


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


def amount_text(amount: int, what: str) -> str:
    """Return an amount of bytes or inodes as people read it."""
    return size_text(amount) if what == BYTES else f"{amount} inodes"
