"""Keys of the `[docker]` table about volumes and caches: pure."""

from dataclasses import dataclass

from executor.container_settings import ContainerSettings


@dataclass(frozen=True, slots=True)
class VolumeSettings(ContainerSettings):
    """What of a job lasts beyond it, and which directories of the host it sees."""
