"""Keys of the `[docker]` table about volumes and caches: pure."""

from dataclasses import dataclass, field

from executor.notation import paths
from executor.notation.volumes import wrong_volume
from executor.settings.containers import ContainerSettings
from executor.settings.keys import about


@dataclass(frozen=True, slots=True)
class VolumeSettings(ContainerSettings):
    """What of a job lasts beyond it, and which directories of the host it sees."""

    volumes: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "What is mounted in build, helper, services and dind: `/destination` is a cache volume,"
            " which the project's next job in the same slot of the runner finds again;"
            " `source:/destination`, with `:ro`, `:z` and the like if need be, a directory of the"
            " engine's host or a volume. Job variables in the destination are expanded. With"
            ' `"/cache"` in it, the `cache` keyword works without an object storage.',
            same_as="volumes",
            check=wrong_volume,
        ),
    )
    disable_cache: bool = field(
        default=False,
        metadata=about(
            "Make cache volumes and the builds directory anew for each job, and remove them with"
            " it.",
            same_as="disable_cache",
        ),
    )
    cache_dir: str = field(
        default="",
        metadata=about(
            "Directory of the engine's host that holds what cache volumes else would, in"
            " directories by runner, project, slot and destination. Empty: Docker volumes.",
            same_as="cache_dir",
            check=paths.wrong_path,
        ),
    )
    volume_driver: str = field(
        default="",
        metadata=about(
            "Driver of the builds and cache volumes, and of those that an entry of `volumes` names"
            " and that are not there yet. Empty: the engine's own.",
            same_as="volume_driver",
        ),
    )
    volume_driver_ops: dict[str, str] = field(
        default_factory=dict,
        metadata=about("Options for the driver of the volumes.", same_as="volume_driver_ops"),
    )
    volume_keep: bool = field(
        default=False,
        metadata=about(
            "Leave the volumes without a name that a job's images declare when its containers are"
            " removed. They pile up.",
            same_as="volume_keep",
        ),
    )
