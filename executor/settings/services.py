"""Keys of the `[docker]` table about services: pure."""

from executor.settings import checks
from executor.settings.keys import TABLE_OF_LISTS, Section, key
from executor.settings.limits import MOST_PIDS


class ServiceDefinition(Section):
    """A service that every job gets."""

    SAME_AS = "[[runners.docker.services]]"

    name: str = key(
        "Image of the service. Job variables in it are expanded. An image without variables"
        " is not checked against `allowed_services`, and jobs may list the same image too.",
        default="",
    )
    alias: str = key(
        "More names of the service, separated by commas or spaces. Job variables in them"
        " are expanded.",
        default="",
    )
    command: tuple[str, ...] = key("Command that replaces the image's own.", default=())
    entrypoint: tuple[str, ...] = key("Entrypoint that replaces the image's own.", default=())
    environment: tuple[str, ...] = key(
        "Variables `KEY=value` of this service alone. Job variables in the values are expanded.",
        default=(),
        check=checks.wrong_assignment,
    )


class ServiceSettings(Section):
    """Which services jobs have and may have, and what these may do on the host."""

    services: tuple[ServiceDefinition, ...] = key(
        "Services that every job gets in addition to its own, as tables"
        " `[[docker.services]]`. If one of them is Docker-in-Docker, it is the sidecar of"
        " every job and replaces a job's own dind service.",
        default=(),
        section=ServiceDefinition,
    )
    allowed_services: tuple[str, ...] = key(
        "Patterns for the services that jobs may use, as in `allowed_images`.",
        default=(),
        check=checks.wrong_pattern,
    )
    services_limit: int = key(
        "How many services a job may have, including those of `services`. A sidecar that"
        " the job does not list is not counted. -1: any number.",
        default=-1,
        minimum=-1,
    )
    service_pids_limit: int = key(
        "How many processes and threads each service may have at once. 0 or -1: no limit. For the"
        " sidecar, set `pids_limit` of `[dind]`.",
        default=16384,
        ours=True,
        minimum=-1,
        maximum=MOST_PIDS,
    )
    wait_for_services_timeout: int = key(
        "How long a job waits, before its first script, for each of its services to accept"
        " a connection. 0: 30 seconds. -1: it does not wait. For the sidecar, set"
        " `ready_timeout` of `[dind]`.",
        default=30,
        unit="seconds",
        minimum=-1,
    )
    service_gpus: str = key(
        "GPUs of each service and of the sidecar, written as for `docker run --gpus`."
        " Empty: no GPU.",
        default="",
        check=checks.wrong_gpus,
    )
    services_devices: dict[str, tuple[str, ...]] = key(
        "Devices of services, for each pattern of images that get them, as in"
        ' `allowed_images`: `"registry.example.com/*:*" = ["/dev/kvm"]`. An image without a'
        " tag counts as `:latest`. The patterns apply to the sidecar too.",
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
        "Paths where each service has a tmpfs, each with its mount options:"
        ' `"/var/lib/mysql" = "rw,noexec"`. The sidecar has them too, except where it has a'
        " mount of its own.",
        default={},
        check_name=checks.wrong_tmpfs,
    )
    services_privileged: bool | None = key(
        "Run services privileged. For the sidecar, set `privileged` of `[dind]`.",
        default=None,
        otherwise="the value of `privileged`",
    )
    allowed_privileged_services: tuple[str, ...] = key(
        "Patterns for the services that may be privileged, as in `allowed_images`. Any"
        " other service has no privileges. Empty: all services.",
        default=(),
        check=checks.wrong_pattern,
    )
