"""Keys of the `[docker]` table that shape service containers: pure."""

from dataclasses import dataclass, field

from executor.settings import container_checks as checks
from executor.settings.checks import wrong_pattern
from executor.settings.keys import TABLE_OF_LISTS, about
from executor.settings.limits import ResourceSettings


@dataclass(frozen=True, slots=True)
class ServiceLimitSettings(ResourceSettings):
    """What service containers may use; the dind sidecar is one of them."""

    service_memory: str = field(
        default="",
        metadata=about(
            "Memory that each service may use, such as `512m` or `4g`. The sidecar as well,"
            " unless `[dind]` says otherwise. Empty: no limit.",
            same_as="service_memory",
            check=checks.wrong_size,
        ),
    )
    service_memory_swap: str = field(
        default="",
        metadata=about(
            "Memory and swap together that each service may use; `-1`: swap without a limit."
            " The sidecar as well, unless `[dind]` says otherwise. Empty: the engine's"
            " default, twice `service_memory`.",
            same_as="service_memory_swap",
            check=checks.wrong_swap,
        ),
    )
    service_memory_reservation: str = field(
        default="",
        metadata=about(
            "Memory that each service is held to while the host is short of it. The sidecar"
            " as well, unless `[dind]` says otherwise. Empty: none.",
            same_as="service_memory_reservation",
            check=checks.wrong_size,
        ),
    )
    service_cgroup_parent: str = field(
        default="",
        metadata=about(
            "Parent cgroup of each service. The sidecar as well, unless `[dind]` says"
            " otherwise. Empty: the engine's default.",
            same_as="service_cgroup_parent",
            check=checks.wrong_cgroup,
        ),
    )
    service_cpuset_cpus: str = field(
        default="",
        metadata=about(
            "CPUs that each service may run on, such as `0-3` or `0,2`. The sidecar as well,"
            " unless `[dind]` says otherwise. Empty: all.",
            same_as="service_cpuset_cpus",
            check=checks.wrong_cpuset,
        ),
    )
    service_cpus: str = field(
        default="",
        metadata=about(
            "How many CPUs' time each service may use, as a number such as `0.5` or `1/3`."
            " The sidecar as well, unless `[dind]` says otherwise. Empty: no limit.",
            same_as="service_cpus",
            check=checks.wrong_cpus,
        ),
    )
    service_cpu_shares: int = field(
        default=0,
        metadata=about(
            "Weight of each service where CPUs are short. The sidecar as well, unless"
            " `[dind]` says otherwise. 0: the engine's default, 1024.",
            same_as="service_cpu_shares",
            minimum=0,
        ),
    )
    service_gpus: str = field(
        default="",
        metadata=about(
            "GPUs of each service and of the sidecar, written as for `docker run --gpus`."
            " Empty: none.",
            same_as="service_gpus",
            check=checks.wrong_gpus,
        ),
    )
    services_devices: dict[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata=about(
            "Devices of services, for each pattern over the images that get them, as in"
            ' `allowed_images`: `"registry.example.com/*:*" = ["/dev/kvm"]`. A missing tag'
            " counts as `:latest`. The sidecar is a service here.",
            same_as="services_devices",
            check=checks.wrong_device,
            check_name=wrong_pattern,
            shape=TABLE_OF_LISTS,
        ),
    )
    services_security_opt: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Security options of each service and of the sidecar, as in `security_opt`.",
            same_as="services_security_opt",
            check=checks.wrong_security_option,
        ),
    )
    services_tmpfs: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            'Where each service has a tmpfs, and with which mount options: `"/var/lib/mysql"'
            ' = "rw,noexec"`. The sidecar as well, except where it has a mount of its own.',
            same_as="services_tmpfs",
            check_name=checks.wrong_tmpfs,
        ),
    )
    services_privileged: bool | None = field(
        default=None,
        metadata=about(
            "Run services privileged. Not the sidecar, which goes by `privileged` of `[dind]`.",
            same_as="services_privileged",
            otherwise="the value of `privileged`",
        ),
    )
    allowed_privileged_services: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the services that are privileged where `services_privileged` says"
            " so, as in `allowed_images`; others run without privileges. Empty: all.",
            same_as="allowed_privileged_services",
            check=wrong_pattern,
        ),
    )
