"""Which volumes a job gets, and which of them its project's next job finds again.

Pure: no I/O.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from executor.errors import UnsupportedJobOption
from executor.notation.expansion import expand
from executor.notation.paths import CERTS_DIRECTORY, clean, is_within, overlap
from executor.notation.volumes import (
    InvalidVolume,
    VolumeEntry,
    already_defined,
    parse_volume,
    wrong_destination,
)
from executor.plan.inputs import Request
from executor.plan.labels import kind_labels, slot_labels, volume_labels
from executor.plan.slots import git_strategy, hidden_words, is_protected, slot_name
from executor.spec import VolumeSpec

_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Mounted:
    """Something that is mounted at one place in containers of the job."""

    destination: str
    source: str
    """A path on the engine's host, or a volume's name."""
    options: str = ""
    volume: VolumeSpec | None = None
    """The volume to make, None where the source is the operator's own."""
    holds_builds: bool = False


@dataclass(frozen=True, slots=True)
class JobVolumes:
    """What is mounted in containers of the job."""

    all: tuple[Mounted, ...]
    notices: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[VolumeSpec, ...]:
        """Return the volumes to make."""
        return tuple(each.volume for each in self.all if each.volume)

    @property
    def mounts(self) -> tuple[tuple[str, str], ...]:
        """Return name and destination of the volumes to make."""
        return tuple((each.source, each.destination) for each in self.all if each.volume)

    @property
    def binds(self) -> tuple[str, ...]:
        """Return everything else, as the engine takes it: `source:destination[:options]`."""
        return tuple(
            ":".join((each.source, each.destination, *([each.options] if each.options else [])))
            for each in self.all
            if not each.volume
        )

    @property
    def opened(self) -> tuple[str, ...]:
        """Return the destinations that any user of an image may write to; none of the host's."""
        return tuple(each.destination for each in self.all if each.volume)

    @property
    def has_caches(self) -> bool:
        """Tell whether there is a volume to make besides the one at the builds directory."""
        return any(each.volume and not each.holds_builds for each in self.all)

    def outside(self, directory: str) -> "JobVolumes":
        """Return what is mounted neither at a directory nor in it."""
        taken = clean(directory)
        kept = (each for each in self.all if not is_within(each.destination, taken))
        return replace(self, all=tuple(kept))

    def without_sources(self, paths: Iterable[str]) -> "JobVolumes":
        """Return what shows none of these paths of the host."""
        places = tuple(paths)
        kept = (
            each
            for each in self.all
            # A source without a slash is a volume's name.
            if each.source[:1] != "/" or not any(overlap(path, each.source) for path in places)
        )
        return replace(self, all=tuple(kept))

    def clear_of(self, taken: Iterable[str]) -> "JobVolumes":
        """Return what does not meet directories that a container needs for itself.

        The builds directory stays: the settings see to it that it is nowhere near.
        """
        places = tuple(taken)
        kept = (
            each
            for each in self.all
            if each.holds_builds or not any(overlap(each.destination, path) for path in places)
        )
        return replace(self, all=tuple(kept))


def job_volumes(request: Request) -> JobVolumes:
    """Decide what is mounted; raises UnsupportedJobOption where the job's variables forbid it."""
    settings = request.settings
    places: dict[str, Mounted] = {}
    for text in settings.docker.volumes:
        entry = parse_volume(text)
        destination = _destination(request, entry)
        if destination in places:
            raise UnsupportedJobOption(already_defined(destination))
        places[destination] = _mounted(request, entry, destination)
    holders = sorted(each.destination for each in places.values() if each.holds_builds)
    for outer in holders[:-1]:
        places[outer] = replace(places[outer], holds_builds=False)
    if not holders:
        keep = git_strategy(request) == "fetch"
        places[settings.builds_dir] = (_cache if keep else _temporary)(request, settings.builds_dir)
    found = tuple(places.values())
    return JobVolumes(found, _notices(request, found))


def _mounted(request: Request, entry: VolumeEntry, destination: str) -> Mounted:
    if not entry.source:
        return _cache(request, destination)
    builds = is_within(request.settings.builds_dir, destination)
    return Mounted(destination, entry.source, entry.options, holds_builds=builds)


def _cache(request: Request, destination: str) -> Mounted:
    """Return what the project's next job in this slot finds again, unless that is switched off."""
    docker, slot = request.settings.docker, slot_name(request)
    builds = destination == request.settings.builds_dir
    if docker.disable_cache or not slot or (builds and request.builds_are_taken):
        return _temporary(request, destination)
    protected = is_protected(request.job)
    hashed = _hashed(destination) + ("-protected" if protected else "")
    if docker.cache_dir:
        source = f"{docker.cache_dir.rstrip('/')}/{slot}/{hashed}"
        return Mounted(destination, source, holds_builds=builds)
    volume = VolumeSpec(
        f"{slot}-cache-{hashed}",
        {
            **kind_labels("cache"),
            **slot_labels(request.job, request.values),
            **volume_labels(destination, protected=protected, reusable=True),
            "dind-executor.type": "cache",
        },
        docker.volume_driver,
        docker.volume_driver_ops,
    )
    return Mounted(destination, volume.name, volume=volume, holds_builds=builds)


def _temporary(request: Request, destination: str) -> Mounted:
    """Return a volume that goes with the job."""
    docker, names = request.settings.docker, request.names
    builds = destination == request.settings.builds_dir
    protected = is_protected(request.job)
    volume = VolumeSpec(
        names.builds_volume if builds else f"{names.network}-cache-{_hashed(destination)}",
        {
            **request.labels("cache"),
            **volume_labels(destination, protected=protected, reusable=False),
        },
        docker.volume_driver,
        docker.volume_driver_ops,
    )
    return Mounted(destination, volume.name, volume=volume, holds_builds=builds)


def _destination(request: Request, entry: VolumeEntry) -> str:
    """Return where an entry is mounted, with the job's variables put in.

    A sentence about a wrong one does not repeat it: a variable may be secret.
    """
    if not entry.has_variables:
        return clean(entry.destination)
    expanded = expand(entry.destination, request.value)
    if wrong := _wrong(request, expanded):
        raise UnsupportedJobOption(
            f'The volume "{entry.destination}" of the runner\'s settings cannot be mounted with'
            f" this job's variables: {wrong}."
        )
    return clean(expanded)


def _wrong(request: Request, destination: str) -> str:
    path = clean(destination)
    builds_dir = request.settings.builds_dir
    reasons = (
        (".." in destination.split("/"), "its destination must not contain .."),
        (not _is_plain(path), "its destination would not be a path"),
        (path == "/", "build directory needs to be a non-root path"),
        (
            bool(wrong_destination(path)) or is_within(path, CERTS_DIRECTORY),
            "its destination belongs to the driver",
        ),
        (is_within(builds_dir, path), "its destination covers the builds directory"),
        (_shows_secret(request, path), "its destination would show a masked variable"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _is_plain(path: str) -> bool:
    """Tell whether a path can be told from the source and the options that it stands between."""
    try:
        return parse_volume(path).destination == path
    except InvalidVolume:
        return False


def _shows_secret(request: Request, path: str) -> bool:
    values = {request.job.token, *(request.values.get(key, "") for key in request.job.secret_keys)}
    for each in request.job.variables:
        if each.masked:
            values |= {each.value, request.values.get(each.key, "")}
    return any(len(value) >= _SHORTEST_SECRET and value in path for value in values)


def _notices(request: Request, found: tuple[Mounted, ...]) -> tuple[str, ...]:
    docker = request.settings.docker
    notices = []
    if docker.volume_keep:
        notices.append(
            "WARNING: volume_keep is enabled: Docker volumes will not be removed after job"
            " completion and may accumulate on disk"
        )
    hidden = hidden_words(request)
    wanted = git_strategy(request) == "fetch" or any(
        each.volume and not each.holds_builds for each in found
    )
    if hidden and wanted and not docker.disable_cache:
        notices.append(
            f"WARNING: The job sets {' and '.join(hidden)}, which is the runner's to set: nothing of"
            " its caches and sources is kept for a later job."
        )
    return tuple(notices)


def _hashed(destination: str) -> str:
    return hashlib.md5(destination.encode(), usedforsecurity=False).hexdigest()
