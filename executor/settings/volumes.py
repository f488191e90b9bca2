"""Keys of the `[docker]` table about volumes and caches: pure."""

from executor.notation import paths
from executor.notation.volumes import wrong_volume
from executor.settings.keys import Section, key


class VolumeSettings(Section):
    """What of a job lasts beyond it, and which directories of the host it sees."""

    volumes: tuple[str, ...] = key(
        "What is mounted in build, helper, services and dind: `/destination` is a cache volume,"
        " which the project's next job in the same slot of the runner finds again;"
        " `source:/destination`, with `:ro`, `:z` and the like if need be, a directory of the"
        " engine's host or a volume. Job variables in the destination are expanded. With"
        ' `"/cache"` in it, the `cache` keyword works without an object storage.',
        default=(),
        check=wrong_volume,
    )
    disable_cache: bool = key(
        "Make cache volumes and the builds directory anew for each job, and remove them with it.",
        default=False,
    )
    cache_dir: str = key(
        "Directory of the engine's host that holds what cache volumes else would, in"
        " directories by runner, project, slot and destination. Empty: Docker volumes.",
        default="",
        check=paths.wrong_path,
    )
    volume_driver: str = key(
        "Driver of the builds and cache volumes, and of those that an entry of `volumes` names"
        " and that are not there yet. Empty: the engine's own.",
        default="",
    )
    volume_driver_ops: dict[str, str] = key("Options for the driver of the volumes.", default={})
    volume_keep: bool = key(
        "Leave the volumes without a name that a job's images declare when its containers are"
        " removed. They pile up.",
        default=False,
    )
