"""Containers with a mount at /run: what is ours lies outside of it.

For each tmpfs and volume the engine makes a directory, and it would make it in what is mounted, which
may be the host's own.  Pure: no I/O.
"""

from executor.dataclass import replace
from executor.notation.paths import is_within
from executor.plan.volumes import JobVolumes
from executor.shell import moved
from executor.spec import ContainerSpec, Defaults, FileSpec

_RUN = ("/run", "/var/run")


def is_covered(volumes: JobVolumes) -> bool:
    """Tell whether something is mounted at /run or above it."""
    return any(is_within(run, each.destination) for each in volumes.all for run in _RUN)


def elsewhere(spec: ContainerSpec) -> ContainerSpec:
    """Return a container with all that is ours outside of /run."""
    defaults, link = spec.defaults, spec.link
    return replace(
        spec,
        elsewhere=True,
        command=tuple(map(moved, spec.command)),
        prelude=moved(spec.prelude),
        environment=_moved(spec.environment),
        defaults=Defaults(_moved(defaults.silent), defaults.named, _moved(defaults.instead)),
        link=replace(link, target=moved(link.target)) if link else None,
        mounts=tuple((name, moved(place)) for name, place in spec.mounts),
        tmpfs={moved(place): options for place, options in spec.tmpfs.items()},
        files=tuple(
            FileSpec(moved(each.path), moved(each.content.decode("latin-1")).encode("latin-1"))
            for each in spec.files
        ),
    )


def _moved(environment: dict[str, str]) -> dict[str, str]:
    return {key: moved(value) for key, value in environment.items()}
