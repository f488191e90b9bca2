"""What is kept where the engine does not count it: directories of the host, volumes of other drivers."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from executor.budgets.measured import Measured
from executor.budgets.things import Thing
from executor.notation.sizes import size_text
from executor.settings.file import Settings

_BLOCK = 512


def directories(settings: Settings, *, here: bool) -> tuple[list[Measured], list[str]]:
    """Return the caches in `[docker] cache_dir`, and sentences on what cannot be counted.

    `here` tells whether the engine's host is this one.
    """
    place = settings.docker.volumes.cache_dir.rstrip("/")
    if not place:
        return [], []
    if not here:
        return [], [
            f"Caches in {place} on the engine's host are not counted: that is not visible from here."
        ]
    try:
        found = sorted(os.scandir(place), key=lambda each: each.name)
    except FileNotFoundError:
        return [], []  # no job has made it yet
    except OSError as error:
        return [], [f"Caches in {place} are not counted: {error.strerror}."]
    sizes = [
        Measured("directory", each.path, _size(each.path))
        for each in found
        if each.is_dir(follow_symlinks=False)
    ]
    total = sum(each.size for each in sizes)
    said = (
        f"Caches in {place} take {size_text(total)}. Budgets do not remove directories of the host."
    )
    return sizes, [said] if sizes else []


def unmeasured(things: Iterable[Thing], volumes: Iterable[Mapping[str, object]]) -> list[str]:
    """Return a sentence on kept volumes whose driver does not tell what they take."""
    drivers = {str(each.get("Name")): str(each.get("Driver")) for each in volumes}
    found = [each for each in things if not each.is_image and each.size is None]
    named = sorted({drivers.get(each.name, "") for each in found} - {"", "local"})
    if not named:
        return []
    said = f"the volume driver {', '.join(named)} does not tell what they take"
    return [f"{len(found)} kept volumes are not counted: {said}."]


def _size(path: str) -> int:
    """Return how many bytes a directory takes, as far as it can be read; no link is followed."""
    total, ahead = 0, [path]
    while ahead:
        with suppress(OSError):
            for each in os.scandir(ahead.pop()):
                with suppress(OSError):
                    total += each.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if each.is_dir(follow_symlinks=False):
                        ahead.append(each.path)
    return total
