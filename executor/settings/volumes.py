"""Keys of the `[docker]` table about volumes and caches: pure."""

from executor.notation import paths
from executor.notation.volumes import wrong_volume
from executor.settings.keys import Section, key


class VolumeSettings(Section):
    """What remains after a job, and which directories of the host it sees."""

    volumes: tuple[str, ...] = key(
        "Mounts of the build, helper, service and dind containers. `/destination` is a"
        " cache volume: the project's next job in the same slot of the runner gets it again."
        " `source:/destination` is a directory of the engine's host or a named volume, with"
        " options such as `:ro` or `:z` if needed. Job variables in the destination are"
        ' expanded. With `"/cache"` in the list, the `cache` keyword works without object'
        " storage.",
        default=(),
        check=wrong_volume,
    )
    disable_cache: bool = key(
        "Create new cache volumes and a new builds directory for each job, and remove"
        " them after it.",
        default=False,
    )
    cache_dir: str = key(
        "Directory of the engine's host for caches instead of cache volumes. It gets a"
        " subdirectory for each runner, project, slot and destination. Empty: Docker"
        " volumes.",
        default="",
        check=paths.wrong_path,
    )
    volume_driver: str = key(
        "Driver of the builds and cache volumes, and of volumes that an entry of `volumes`"
        " names and that do not exist yet. Empty: the engine's default.",
        default="",
    )
    volume_driver_ops: dict[str, str] = key("Options for `volume_driver`.", default={})
    volume_keep: bool = key(
        "When a job's containers are removed, keep the unnamed volumes that its images"
        " declare. They accumulate on the host.",
        default=False,
    )
