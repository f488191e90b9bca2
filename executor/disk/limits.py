"""How much has to stay free, and which job is ended before it does not.  Pure: no I/O, no clock."""

from collections.abc import Collection
from typing import NamedTuple

TYPE_CHECKING = False  # the name counts for checkers, and `run` pays for every import
if TYPE_CHECKING:
    from executor.host.disk import Free
    from executor.settings.disk import DiskSettings

BYTES, INODES = "bytes", "inodes"

NEAR = 2.0
"""Below so many headrooms above the floor, jobs measure themselves."""

_NEAREST, _FARTHEST = 0.25, 1.0
"""Between so many headrooms above the floor a job is ended: the faster the disk fills, the earlier.

Never above the headroom, with which a job may begin."""
_REACTION_SECONDS = 1.0
"""How long it takes from a look until nothing writes any more."""
_SMALLEST_SHARE = 8
"""Who has written less than this part of the headroom is not the one who fills the disk."""
_PATIENCE_SECONDS = 1.0
"""How long to wait for what other jobs say of themselves."""
_RECOVERY_SECONDS = 30.0
"""How long what an ended job has written may take to be removed."""
_ANY_DEVICE = 0
_ALL = 1 << 62
_EMERGENCY = -0.5
"""Below half of the floor nobody waits for anything."""
_MOST_BYTES_PER_SECOND = 4 * 1024**3
"""What a disk takes at most, with all the memory that stands before it."""
_MOST_INODES_PER_SECOND = 200_000
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Limits(NamedTuple):
    """What the settings want to stay free."""

    floor: int
    """In bytes; 0 where nobody looks."""
    headroom: int
    floor_inodes: int

    @classmethod
    def of(cls, settings: "DiskSettings") -> "Limits":
        """Return the limits of the settings, which have been checked."""
        from executor.notation.amounts import byte_size  # noqa: PLC0415 (`run` is told numbers)

        floor, headroom = byte_size(settings.floor), byte_size(settings.headroom)
        return cls(floor, headroom, settings.floor_inodes)

    def level(self, free: "Free") -> tuple[float, str]:
        """Return how far above the floor a file system is, and what there is least of.

        In headrooms: 1 is where a job may begin, 0 is at the floor, -1 is nothing at all.
        """
        found = [(NEAR * 2, BYTES)]
        if self.floor:
            found.append((_level(free.bytes, self.floor, self.headroom), BYTES))
        if self.floor_inodes and free.inodes is not None:
            found.append((_level(free.inodes, self.floor_inodes, self.floor_inodes), INODES))
        return min(found)

    def admits(self, free: "Free") -> bool:
        """Tell whether a job may begin."""
        return self.level(free)[0] >= _FARTHEST

    def is_ample(self, free: "Free") -> bool:
        """Tell whether nothing has to be removed soon.

        A file system that is smaller than that is not emptied in vain.
        """
        never = bool(free.size) and free.size < self.ample_bytes
        return self.level(free)[0] >= (_FARTHEST if never else NEAR)

    def are_met_by(self, free: "Free") -> bool:
        """Tell whether a job could begin if the file system were empty."""
        return not (self.floor and free.size) or free.size >= self.wanted_bytes

    @property
    def wanted_bytes(self) -> int:
        """Return the bytes with which a job may begin."""
        return self.floor + self.headroom

    @property
    def ample_bytes(self) -> int:
        """Return the bytes with which nothing has to be removed soon; 0 where nobody looks."""
        return self.floor + int(NEAR * self.headroom) if self.floor else 0

    def pause(self, free: "Free") -> float:
        """Return how long nobody needs to look at a file system, in seconds."""
        seconds = [_LONGEST_PAUSE]
        if self.floor:
            seconds.append((free.bytes - self.wanted_bytes) / _MOST_BYTES_PER_SECOND)
        if self.floor_inodes and free.inodes is not None:
            seconds.append((free.inodes - 2 * self.floor_inodes) / _MOST_INODES_PER_SECOND)
        return max(min(seconds), _SHORTEST_PAUSE)


class Written(NamedTuple):
    """What a job has written on a file system since it began, as far as it was seen."""

    key: str
    device: int
    bytes: int
    inodes: int
    at: float
    """When that was measured."""
    free_bytes: int
    """What was free then."""
    free_inodes: int

    def of(self, what: str) -> int:
        """Return the amount of bytes or of inodes."""
        return self.bytes if what == BYTES else self.inodes

    def at_most(self, what: str, free: int) -> int:
        """Return the amount now, if all that was lost since was written by this job."""
        then = self.free_bytes if what == BYTES else self.free_inodes
        return self.of(what) + max(then - free, 0)


class Ending(NamedTuple):
    """The last job that was ended for the disk, and when."""

    key: str
    at: float


class Overrun(NamedTuple):
    """What is said of a job that was ended."""

    written: int
    what: str
    free: int
    disk: str
    volumes: tuple[str, ...] = ()
    """The lasting volumes that it has filled."""
    paths: tuple[str, ...] = ()
    """Directories of the host like them, as this process sees them."""


def silent(key: str, devices: Collection[int] = ()) -> Written:
    """Return what is said of a job that has not measured anything: it may have written any amount.

    `devices` are the file systems that it may fill.
    """
    (device,) = devices if len(devices) == 1 else (_ANY_DEVICE,)
    return Written(key, device, 0, 0, 0.0, _ALL, _ALL)


class Situation(NamedTuple):
    """What a job knows when the disk is short."""

    now: float
    short_since: float
    level: float
    what: str
    free: int
    """What is free of that."""
    mine: Written
    others: tuple[Written, ...]
    last: Ending | None


def is_to_end(situation: Situation, limits: Limits) -> bool:
    """Tell whether this job is the one to end: the one that has written most, and only one at a time."""
    now, level, mine = situation.now, situation.level, situation.mine
    last = situation.last
    if last and 0 <= now - last.at < _RECOVERY_SECONDS and level > _EMERGENCY:
        return False  # what it has written is not removed yet
    what = situation.what
    whole = limits.headroom or limits.floor if what == BYTES else limits.floor_inodes
    if mine.of(what) * _SMALLEST_SHARE < whole:
        return False
    others = [each for each in situation.others if each.device in {mine.device, _ANY_DEVICE}]
    if all(mine.of(what) > each.at_most(what, situation.free) for each in others):
        return True
    patient = level > _EMERGENCY and now - situation.short_since < _PATIENCE_SECONDS
    if patient and any(each.at < situation.short_since for each in others):
        return False  # some have not measured yet what they have written meanwhile
    return all(_is_more(mine, each, what) for each in others)


def line(levels_per_second: float) -> float:
    """Return the level at which a job is ended while a file system fills so fast."""
    return min(max(levels_per_second * _REACTION_SECONDS, _NEAREST), _FARTHEST)


def _level(free: int, floor: int, headroom: int) -> float:
    above = free - floor
    return above / max(headroom, 1) if above >= 0 else above / floor


def _is_more(one: Written, other: Written, what: str) -> bool:
    return (one.of(what), one.key) > (other.of(what), other.key)
