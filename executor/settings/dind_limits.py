"""Keys of the `[dind]` table that limit the sidecar: pure."""

from dataclasses import dataclass, field

from executor.settings import container_checks as checks
from executor.settings.dind import SidecarSettings
from executor.settings.keys import about


@dataclass(frozen=True, slots=True)
class DindSettings(SidecarSettings):
    """The Docker-in-Docker sidecar of each job."""

    memory: str = field(
        default="",
        metadata=about(
            "Memory that the sidecar, with all that is built and run in it, may use, such as"
            " `4g`. Empty: `service_memory` of `[docker]`.",
            check=checks.wrong_size,
        ),
    )
    memory_swap: str = field(
        default="",
        metadata=about(
            "Memory and swap together that the sidecar may use; `-1`: swap without a limit."
            " Empty: `service_memory_swap` of `[docker]`.",
            check=checks.wrong_swap,
        ),
    )
    memory_reservation: str = field(
        default="",
        metadata=about(
            "Memory that the sidecar is held to while the host is short of it. Empty:"
            " `service_memory_reservation` of `[docker]`.",
            check=checks.wrong_size,
        ),
    )
    cgroup_parent: str = field(
        default="",
        metadata=about(
            "Parent cgroup of the sidecar. Empty: `service_cgroup_parent` of `[docker]`.",
            check=checks.wrong_cgroup,
        ),
    )
    cpuset_cpus: str = field(
        default="",
        metadata=about(
            "CPUs that the sidecar may run on, such as `0-3` or `0,2`. Empty:"
            " `service_cpuset_cpus` of `[docker]`.",
            check=checks.wrong_cpuset,
        ),
    )
    cpus: str = field(
        default="",
        metadata=about(
            "How many CPUs' time the sidecar may use, as a number such as `2` or `1/3`."
            " Empty: `service_cpus` of `[docker]`.",
            check=checks.wrong_cpus,
        ),
    )
    cpu_shares: int = field(
        default=0,
        metadata=about(
            "Weight of the sidecar where CPUs are short. 0: `service_cpu_shares` of `[docker]`.",
            minimum=0,
        ),
    )
    ulimit: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Limits of the processes in the sidecar, as in `ulimit` of `[docker]`.",
            check=checks.wrong_ulimit,
            check_name=checks.wrong_ulimit_name,
        ),
    )
    sysctls: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Kernel parameters of the sidecar, as in `sysctls` of `[docker]`.",
            check_name=checks.wrong_sysctl,
        ),
    )
