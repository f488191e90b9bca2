"""Keys of the `[docker]` table that shape a job's containers: pure."""

from dataclasses import dataclass

from executor.image_settings import ImageSettings


@dataclass(frozen=True, slots=True)
class ContainerSettings(ImageSettings):
    """What a job's containers may use of the host."""
