"""Keys of the `[docker]` table about services: pure."""

from dataclasses import dataclass, field

from executor import checks
from executor.keys import about
from executor.volume_settings import VolumeSettings


@dataclass(frozen=True, slots=True)
class ServiceSettings(VolumeSettings):
    """Which services jobs may have, and what they may use."""

    allowed_services: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the services that jobs may use, as in `allowed_images`.",
            same_as="allowed_services",
            check=checks.wrong_pattern,
        ),
    )
    services_limit: int = field(
        default=-1,
        metadata=about(
            "How many services a job may have; the dind sidecar that a job did not ask for does"
            " not count. -1: any number.",
            same_as="services_limit",
            minimum=-1,
        ),
    )
