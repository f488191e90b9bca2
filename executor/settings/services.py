"""Keys of the `[docker]` table about services: pure."""

from dataclasses import dataclass, field

from executor.settings import checks
from executor.settings.keys import about
from executor.settings.volumes import VolumeSettings


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service that every job gets."""

    name: str = field(
        default="",
        metadata=about(
            "Its image, with the job's variables. One without variables is not checked against"
            " `allowed_services`, and a job may list the same image whatever those say.",
            same_as="services.name",
        ),
    )
    alias: str = field(
        default="",
        metadata=about(
            "More names for it, divided by commas or spaces, with the job's variables.",
            same_as="services.alias",
        ),
    )
    command: tuple[str, ...] = field(
        default=(),
        metadata=about("What replaces the image's command.", same_as="services.command"),
    )
    entrypoint: tuple[str, ...] = field(
        default=(),
        metadata=about("What replaces the image's entrypoint.", same_as="services.entrypoint"),
    )
    environment: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Variables `KEY=value` of its own, with the job's variables in their values.",
            same_as="services.environment",
            check=checks.wrong_assignment,
        ),
    )


@dataclass(frozen=True, slots=True)
class ServiceSettings(VolumeSettings):
    """Which services jobs have and may have, and how long they are waited for."""

    services: tuple[ServiceDefinition, ...] = field(
        default=(),
        metadata=about(
            "Services that every job gets, before its own, as tables `[[docker.services]]`. One that"
            " is Docker-in-Docker is every job's sidecar, and takes the place of a job's own.",
            same_as="services",
            section=ServiceDefinition,
        ),
    )
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
            "How many services a job may have, those of `services` included; the dind sidecar that"
            " nobody asked for does not count. -1: any number.",
            same_as="services_limit",
            minimum=-1,
        ),
    )
    wait_for_services_timeout: int = field(
        default=30,
        metadata=about(
            "How long the job waits, before its first script, for each of its services to accept a"
            " connection. 0: 30 seconds; -1: not at all. The dind sidecar has a `ready_timeout` of"
            " its own in `[dind]`.",
            same_as="wait_for_services_timeout",
            unit="seconds",
            minimum=-1,
        ),
    )
