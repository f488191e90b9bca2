"""What is kept beyond jobs, as plain data.

Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from executor.host.disk import IMAGES, VOLUMES

BUILDS, CACHE, LAYERS, IMAGE = "builds", "cache", "layers", "image"
"""The kinds of what is kept: a builds directory, a cache volume, a sidecar's layers, an image that a job
pulled."""


class Stays(StrEnum):
    """Why something is not removed, whatever the budget says."""

    NO = ""
    IN_USE = "in-use"
    CLAIMED = "claimed"
    SETTINGS = "settings"
    OTHER_NAME = "other-name"


class Thing(NamedTuple):
    """One volume or image that is kept."""

    kind: str
    name: str
    """The volume's name, or the image's id."""
    shown: str
    """What people know it by: an image's first name."""
    used: float
    """When a job last used it, in seconds since 1970; no time that lies ahead."""
    size: int | None = None
    """In bytes, as last measured; None where nobody has measured it, or the engine cannot."""
    references: tuple[str, ...] = ()
    """What to remove: a volume's name, or all names of an image."""
    stays: Stays = Stays.NO
    record: float | None = None
    """The time of its record as it stands there, None where it has none: another one is another use."""

    @property
    def is_image(self) -> bool:
        """Tell whether it is an image."""
        return self.kind == IMAGE

    @property
    def place(self) -> str:
        """Return where it lies: among the `VOLUMES` or the `IMAGES` of the engine."""
        return IMAGES if self.is_image else VOLUMES


class Gone(NamedTuple):
    """What became of a thing that had to go."""

    thing: Thing
    reason: str
    """Why it had to go: one word of the table in docs/operating.md."""
    left: str = ""
    """Why it is there still, "" where it is gone."""

    def facts(self) -> Mapping[str, object]:
        """Return it as the administrator's log has it."""
        thing = self.thing
        facts = {"kind": thing.kind, "name": thing.shown, "reason": self.reason}
        size = {} if thing.size is None else {"bytes": thing.size}
        return {
            **facts,
            "used": round(thing.used),
            **size,
            **({"error": self.left} if self.left else {}),
        }
