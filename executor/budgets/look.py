"""One look: what is kept on an engine, when it was last used, and what of it must stay.  Changes nothing."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from executor.budgets.claims import claimed, of_image, of_volume
from executor.budgets.names import Named, has_other_name, image_name, names_of, tags_of
from executor.budgets.records import Known
from executor.budgets.things import BUILDS, CACHE, IMAGE, LAYERS, Stays, Thing
from executor.engine.docker import Engine
from executor.engine.kept import Users
from executor.engine.wire import as_table
from executor.names import LABEL, LABEL_PREFIX
from executor.notation.claims import LAYERS_LABEL
from executor.settings.file import Settings

_RUNNERS = "com.gitlab.gitlab-runner."

Listed = Mapping[str, object]


class Seen(NamedTuple):
    """What is there."""

    things: tuple[Thing, ...]
    volumes: tuple[Listed, ...]
    """All volumes of the engine, as it lists them."""
    images: tuple[str, ...]
    """The ids of all its images."""


def look(
    engine: Engine, settings: Settings, known: Known, sizes: Mapping[str, int] | None = None
) -> Seen:
    """Return what is kept; `sizes` has bytes by the names of volumes and the ids of images.

    Raises EngineUnavailable or EngineRefused where the engine does not list everything.
    """
    now = time.time()
    kept = engine.kept
    images, users = kept.images(), kept.users()
    # The last of all: a job claims before it has any container, and until its end.
    volumes = kept.volumes()
    taken = claimed(volumes)
    found = (
        *_volumes(volumes, settings, known, users, taken, now),
        *_images(images, Named(settings, known.images), known, users, taken, now),
    )
    measured = sizes or {}
    return Seen(
        tuple(each._replace(size=measured.get(each.name)) for each in found),
        tuple(volumes),
        tuple(str(each.get("Id")) for each in images),
    )


def kinds_of(things: Sequence[Thing]) -> dict[str, str]:
    """Return by their names the kinds of the volumes among things."""
    return {each.name: each.kind for each in things if not each.is_image}


def _volumes(
    listed: Sequence[Listed],
    settings: Settings,
    known: Known,
    users: Users,
    taken: frozenset[str],
    now: float,
) -> Iterator[Thing]:
    for each in listed:
        labels, name = as_table(each.get("Labels")), str(each.get("Name"))
        if not _is_kept(labels):
            continue
        kind = _kind(labels, settings)
        record = known.volumes.get(name)
        stays = Stays.NO
        if name in users.volumes:
            stays = Stays.IN_USE
        elif of_volume(str(labels.get(LAYERS_LABEL) or name)) in taken:
            stays = Stays.CLAIMED
        yield Thing(
            kind,
            name,
            name,
            _moment(each.get("CreatedAt"), now) if record is None else min(record, now),
            references=(name,),
            stays=stays,
            record=record,
        )


def _is_kept(labels: Listed) -> bool:
    """Tell whether a volume is one that dind-executor keeps beyond jobs."""
    return (
        LABEL not in labels
        and labels.get(f"{LABEL_PREFIX}type") in (CACHE, LAYERS)
        and labels.get(f"{_RUNNERS}reusable") == "true"
    )


def _kind(labels: Listed, settings: Settings) -> str:
    if labels.get(f"{LABEL_PREFIX}type") == LAYERS:
        return LAYERS
    return BUILDS if labels.get(f"{_RUNNERS}destination") == settings.builds_dir else CACHE


def _images(
    listed: Sequence[Listed],
    named: Named,
    known: Known,
    users: Users,
    taken: frozenset[str],
    now: float,
) -> Iterator[Thing]:
    for each in listed:
        image = str(each.get("Id"))
        record = known.images.get(image)
        if record is None:
            continue  # no job pulled it
        tags = tags_of(each)
        stays = Stays.NO
        if has_other_name(each, record.names):
            stays = Stays.OTHER_NAME
        elif named.has(image, (*record.names, *tags)):
            stays = Stays.SETTINGS
        elif image in users.images:
            stays = Stays.IN_USE
        elif not taken.isdisjoint(map(of_image, (image, *record.names, *names_of(each)))):
            stays = Stays.CLAIMED
        yield Thing(
            IMAGE,
            image,
            image_name(each),
            min(record.used, now),
            references=tags or (image,),
            stays=stays,
            record=record.used,
        )


def _moment(created: object, now: float) -> float:
    """Return when a volume was made; now where nobody knows: it stays as long as any.

    For a volume of a driver that does not tell, the engine says the year 1.
    """
    from datetime import datetime  # noqa: PLC0415 (only where there is no record)

    with suppress(ValueError, OverflowError):
        made = datetime.fromisoformat(str(created)).timestamp()
        return min(made, now) if made > 0 else now
    return now
