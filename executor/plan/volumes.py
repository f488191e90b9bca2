"""Which volumes a job gets, and which of them its project's next job finds again.

Pure: no I/O.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from executor.dataclass import dataclass, replace
from executor.digests import md5
from executor.errors import UnsupportedJobOption
from executor.notation.paths import clean, is_within, overlap
from executor.notation.sources import place_of
from executor.notation.volumes import (
    VolumeEntry,
    already_defined,
    parse_volume,
)
from executor.plan.destinations import destination_of
from executor.plan.labels import kind_labels, slot_labels, volume_labels
from executor.plan.slots import git_strategy, hidden_words, is_protected, slot_name
from executor.spec import VolumeSpec

if TYPE_CHECKING:
    from executor.plan.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Mounted:
    """Something that is mounted at one place in containers of the job."""

    destination: str
    source: str
    """A path on the engine's host, or a volume's name."""
    options: str = ""
    volume: VolumeSpec | None = None
    """The volume to make, None where the source is the administrator's own."""
    holds_builds: bool = False
    lasts: bool = False
    """Whether the project's next job in this slot finds it again."""
    first: str = ""
    """What the source is called before sources are begun anew; empty for what holds no kept ones."""


@dataclass(frozen=True, slots=True)
class JobVolumes:
    """What is mounted in containers of the job."""

    all: tuple[Mounted, ...]
    notices: tuple[str, ...] = ()

    @property
    def builds(self) -> Mounted:
        """Return what holds the builds directory."""
        (found,) = (each for each in self.all if each.holds_builds)
        return found

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


def job_volumes(inputs: "Inputs") -> JobVolumes:
    """Decide what is mounted; raises UnsupportedJobOption where the job's variables forbid it."""
    settings = inputs.settings
    places: dict[str, Mounted] = {}
    for text in settings.docker.volumes.volumes:
        entry = parse_volume(text)
        destination = destination_of(inputs, entry)
        if destination in places:
            raise UnsupportedJobOption(already_defined(destination))
        places[destination] = _mounted(inputs, entry, destination)
    holders = sorted(each.destination for each in places.values() if each.holds_builds)
    for outer in holders[:-1]:
        places[outer] = replace(places[outer], holds_builds=False)
    if not holders:
        keep = git_strategy(inputs) == "fetch"
        places[settings.builds_dir] = (_cache if keep else _temporary)(inputs, settings.builds_dir)
    found = tuple(places.values())
    return JobVolumes(found, _notices(inputs, found))


def with_own_builds(inputs: "Inputs") -> JobVolumes:
    """Return the job's volumes, with builds that go with the job where another works in the others.

    Builds that are the administrator's own stay where they are.
    """
    volumes = inputs.volumes
    builds = volumes.builds
    if not builds.lasts:
        return volumes
    own = _temporary(inputs, builds.destination)
    return replace(volumes, all=tuple(own if each is builds else each for each in volumes.all))


def _mounted(inputs: "Inputs", entry: VolumeEntry, destination: str) -> Mounted:
    if not entry.source:
        return _cache(inputs, destination)
    builds = is_within(inputs.settings.builds_dir, destination)
    return Mounted(destination, entry.source, entry.options, holds_builds=builds)


def _cache(inputs: "Inputs", destination: str) -> Mounted:
    """Return what the project's next job in this slot finds again, unless that is switched off."""
    docker, slot = inputs.settings.docker, slot_name(inputs)
    builds = destination == inputs.settings.builds_dir
    if docker.volumes.disable_cache or not slot:
        return _temporary(inputs, destination)
    protected = is_protected(inputs.job)
    hashed = _hashed(destination) + ("-protected" if protected else "")
    if docker.volumes.cache_dir:
        first = f"{docker.volumes.cache_dir.rstrip('/')}/{slot}/{hashed}"
    else:
        first = f"{slot}-cache-{hashed}"
    source = place_of(first, inputs.generation) if builds else first
    kept = Mounted(
        destination, source, holds_builds=builds, lasts=True, first=first if builds else ""
    )
    if docker.volumes.cache_dir:
        return kept
    volume = VolumeSpec(
        source,
        {
            **kind_labels("cache"),
            **slot_labels(inputs.job, inputs.values),
            **volume_labels(destination, protected=protected, reusable=True),
            "dind-executor.type": "cache",
        },
        docker.volumes.volume_driver,
        docker.volumes.volume_driver_ops,
    )
    return replace(kept, volume=volume)


def _temporary(inputs: "Inputs", destination: str) -> Mounted:
    """Return a volume that goes with the job."""
    docker, names = inputs.settings.docker, inputs.names
    builds = destination == inputs.settings.builds_dir
    protected = is_protected(inputs.job)
    volume = VolumeSpec(
        names.builds_volume if builds else f"{names.network}-cache-{_hashed(destination)}",
        {
            **inputs.labels("cache"),
            **volume_labels(destination, protected=protected, reusable=False),
        },
        docker.volumes.volume_driver,
        docker.volumes.volume_driver_ops,
    )
    return Mounted(destination, volume.name, volume=volume, holds_builds=builds)


def _notices(inputs: "Inputs", found: tuple[Mounted, ...]) -> tuple[str, ...]:
    docker = inputs.settings.docker
    notices = []
    if docker.volumes.volume_keep:
        notices.append(
            "WARNING: volume_keep is enabled: Docker volumes will not be removed after job"
            " completion and may accumulate on disk"
        )
    hidden = hidden_words(inputs)
    wanted = git_strategy(inputs) == "fetch" or any(
        each.volume and not each.holds_builds for each in found
    )
    if hidden and wanted and not docker.volumes.disable_cache:
        notices.append(
            f"WARNING: The job overrides {' and '.join(hidden)}, which only gitlab-runner may"
            " set. Its caches and sources will not be kept. Remove"
            f" {'them' if len(hidden) > 1 else 'it'} from the job's variables."
        )
    return tuple(notices)


def _hashed(destination: str) -> str:
    return md5(destination.encode(), usedforsecurity=False).hexdigest()
