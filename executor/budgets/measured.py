"""What took how much when `dind-executor prune` last measured it.

One small file for each engine, written as a whole or not at all.  Whoever reads it bears anything:
it may be missing, old, or somebody else's.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from executor.budgets.names import image_name
from executor.engine.wire import as_table
from executor.host import state_files
from executor.quick_json import dumps

_VERSION = 1
_MOST = 3000
"""How many things are kept of a measurement, the largest ones."""


class Measured(NamedTuple):
    """Something that takes room on the engine's disks."""

    kind: str
    """`image`, `volume`, `builds`, `cache`, `container`, `build cache` or `directory`."""
    name: str
    """As people know it."""
    size: int
    """In bytes."""
    id: str = ""
    """The volume's name or the image's id, "" for other things."""


class Measurement(NamedTuple):
    """What was measured, largest first."""

    at: float
    """When, in seconds since 1970."""
    things: tuple[Measured, ...]

    @property
    def sizes(self) -> Mapping[str, int]:
        """Return bytes by the names of volumes and the ids of images."""
        return {each.id: each.size for each in self.things if each.id}


def measure(usage: Mapping[str, object], kinds: Mapping[str, str], at: float) -> Measurement:
    """Return what the engine's `/system/df` says.

    `kinds` has by name the kinds of volumes that are kept for jobs; others are just volumes.
    """
    found = [
        *_images(_tables(usage.get("Images"))),
        *_volumes(_tables(usage.get("Volumes")), kinds),
        *_containers(_tables(usage.get("Containers"))),
    ]
    cached = sum(_number(each.get("Size")) for each in _tables(usage.get("BuildCache")))
    if cached:
        found.append(Measured("build cache", "build cache of the Docker Engine", cached))
    return Measurement(at, _largest(found))


def with_more(measurement: Measurement, more: Iterable[Measured]) -> Measurement:
    """Return a measurement with what the engine does not know."""
    return measurement._replace(things=_largest((*measurement.things, *more)))


def leave_measurement(state_dir: str, address: str, measurement: Measurement) -> str:
    """Leave a measurement in place of the last one; return why that cannot be done, or ""."""
    if not state_dir:
        return ""
    name = _name(address)
    said = {
        "version": _VERSION,
        "at": round(measurement.at, 3),
        "engine": address,
        "things": [
            {"kind": each.kind, "name": each.name, "bytes": each.size, "id": each.id}
            for each in measurement.things
        ],
    }
    with state_files.opened(state_dir) as directory:
        if directory < 0:
            return f"{state_dir} is no directory that can be used"
        try:
            state_files.write(directory, name, dumps(said).encode())
        except OSError as error:
            return f"{state_dir}/{name} cannot be written: {error.strerror}"
    return ""


def last_measurement(state_dir: str, address: str) -> Measurement | None:
    """Return the last measurement of an engine; None where there is none that can be read."""
    with state_files.opened(state_dir) as directory:
        said = state_files.read(directory, _name(address))
    at = said.get("at")
    if said.get("version") != _VERSION or isinstance(at, bool) or not isinstance(at, int | float):
        return None
    things = [
        Measured(
            str(each.get("kind")),
            str(each.get("name")),
            _number(each.get("bytes")),
            str(each.get("id") or ""),
        )
        for each in _tables(said.get("things"))
    ]
    return Measurement(float(at), _largest(things))


def _name(address: str) -> str:
    return f"measured-{zlib.crc32(address.encode()):08x}.json"


def _images(listed: Iterable[Mapping[str, object]]) -> Iterable[Measured]:
    for each in listed:
        image = str(each.get("Id"))
        yield Measured("image", image_name(each), _number(each.get("Size")), image)


def _volumes(
    listed: Iterable[Mapping[str, object]], kinds: Mapping[str, str]
) -> Iterable[Measured]:
    for each in listed:
        name = str(each.get("Name"))
        size = as_table(each.get("UsageData")).get("Size")
        # -1: the volume's driver does not tell.
        if isinstance(size, int) and size >= 0:
            yield Measured(kinds.get(name, "volume"), name, size, name)


def _containers(listed: Iterable[Mapping[str, object]]) -> Iterable[Measured]:
    for each in listed:
        names = each.get("Names")
        name = str(names[0]).lstrip("/") if isinstance(names, list) and names else each.get("Id")
        yield Measured("container", str(name), _number(each.get("SizeRw")))


def _largest(things: Iterable[Measured]) -> tuple[Measured, ...]:
    return tuple(sorted(things, key=lambda each: (-each.size, each.name))[:_MOST])


def _tables(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _number(value: object) -> int:
    """Return a number of bytes; 0 where it is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return max(0, value) if is_number and isinstance(value, int) else 0
