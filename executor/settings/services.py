"""Keys of the `[docker]` table about services: pure."""

from executor.settings import checks
from executor.settings.keys import TABLE_OF_LISTS, Section, key


class ServiceDefinition(Section):
    """A service that every job gets."""

    SAME_AS = "[[runners.docker.services]]"

    name: str = key(
        "Its image, with the job's variables. One without variables is not checked against"
        " `allowed_services`, and a job may list the same image whatever those say.",
        default="",
    )
    alias: str = key(
        "More names for it, divided by commas or spaces, with the job's variables.", default=""
    )
    command: tuple[str, ...] = key("What replaces the image's command.", default=())
    entrypoint: tuple[str, ...] = key("What replaces the image's entrypoint.", default=())
    environment: tuple[str, ...] = key(
        "Variables `KEY=value` of its own, with the job's variables in their values.",
        default=(),
        check=checks.wrong_assignment,
    )


class ServiceSettings(Section):
    """Which services jobs have and may have, and what these may do on the host."""

    services: tuple[ServiceDefinition, ...] = key(
        "Services that every job gets, before its own, as tables `[[docker.services]]`. One that"
        " is Docker-in-Docker is every job's sidecar, and takes the place of a job's own.",
        default=(),
        section=ServiceDefinition,
    )
    allowed_services: tuple[str, ...] = key(
        "Patterns for the services that jobs may use, as in `allowed_images`.",
        default=(),
        check=checks.wrong_pattern,
    )
    services_limit: int = key(
        "How many services a job may have, those of `services` included; the dind sidecar that"
        " nobody asked for does not count. -1: any number.",
        default=-1,
        minimum=-1,
    )
    wait_for_services_timeout: int = key(
        "How long the job waits, before its first script, for each of its services to accept a"
        " connection. 0: 30 seconds; -1: not at all. The dind sidecar has a `ready_timeout` of"
        " its own in `[dind]`.",
        default=30,
        unit="seconds",
        minimum=-1,
    )
    service_gpus: str = key(
        "GPUs of each service and of the sidecar, written as for `docker run --gpus`. Empty: none.",
        default="",
        check=checks.wrong_gpus,
    )
    services_devices: dict[str, tuple[str, ...]] = key(
        "Devices of services, for each pattern over the images that get them, as in"
        ' `allowed_images`: `"registry.example.com/*:*" = ["/dev/kvm"]`. A missing tag'
        " counts as `:latest`. The sidecar is a service here.",
        default={},
        check=checks.wrong_device,
        check_name=checks.wrong_pattern,
        shape=TABLE_OF_LISTS,
    )
    services_security_opt: tuple[str, ...] = key(
        "Security options of each service and of the sidecar, as in `security_opt`.",
        default=(),
        check=checks.wrong_security_option,
    )
    services_tmpfs: dict[str, str] = key(
        'Where each service has a tmpfs, and with which mount options: `"/var/lib/mysql"'
        ' = "rw,noexec"`. The sidecar as well, except where it has a mount of its own.',
        default={},
        check_name=checks.wrong_tmpfs,
    )
    services_privileged: bool | None = key(
        "Run services privileged. Not the sidecar, which goes by `privileged` of `[dind]`.",
        default=None,
        otherwise="the value of `privileged`",
    )
    allowed_privileged_services: tuple[str, ...] = key(
        "Patterns for the services that are privileged where `services_privileged` says"
        " so, as in `allowed_images`; others run without privileges. Empty: all.",
        default=(),
        check=checks.wrong_pattern,
    )
