"""Keys of the `[docker]` table that limit a job's build and helper container: pure."""

from dataclasses import dataclass, field

from executor.settings import container_checks as checks
from executor.settings.images import ImageSettings
from executor.settings.keys import about


@dataclass(frozen=True, slots=True)
class ResourceSettings(ImageSettings):
    """What build and helper container may use of memory and processors."""

    memory: str = field(
        default="",
        metadata=about(
            "Memory that the build container may use, and the helper container as well, such"
            " as `512m` or `4g`. The sidecar, in which images are built, has a limit of its"
            " own: `memory` of `[dind]`. Empty: no limit.",
            same_as="memory",
            check=checks.wrong_size,
        ),
    )
    memory_swap: str = field(
        default="",
        metadata=about(
            "Memory and swap together that the build and helper container may use each; `-1`:"
            " swap without a limit. Empty: the engine's default, twice `memory`.",
            same_as="memory_swap",
            check=checks.wrong_swap,
        ),
    )
    memory_reservation: str = field(
        default="",
        metadata=about(
            "Memory that the build and helper container are held to while the host is short"
            " of it. Empty: none.",
            same_as="memory_reservation",
            check=checks.wrong_size,
        ),
    )
    cgroup_parent: str = field(
        default="",
        metadata=about(
            "Parent cgroup of the build and helper container. Empty: the engine's default.",
            same_as="cgroup_parent",
            check=checks.wrong_cgroup,
        ),
    )
    cpuset_cpus: str = field(
        default="",
        metadata=about(
            "CPUs that the build and helper container may run on, such as `0-3` or `0,2`."
            " Empty: all.",
            same_as="cpuset_cpus",
            check=checks.wrong_cpuset,
        ),
    )
    cpuset_mems: str = field(
        default="",
        metadata=about(
            "Memory nodes that the build and helper container may use, such as `0-1`, on a"
            " host that has several. Empty: all.",
            same_as="cpuset_mems",
            check=checks.wrong_cpuset,
        ),
    )
    cpus: str = field(
        default="",
        metadata=about(
            "How many CPUs' time the build and helper container may use each, as a number"
            " such as `0.5` or `1/3`. Empty: no limit.",
            same_as="cpus",
            check=checks.wrong_cpus,
        ),
    )
    cpu_shares: int = field(
        default=0,
        metadata=about(
            "Weight of the build and helper container where CPUs are short; other containers"
            " have 1024 unless told otherwise. 0: the engine's default.",
            same_as="cpu_shares",
            minimum=0,
        ),
    )
    oom_kill_disable: bool = field(
        default=False,
        metadata=about(
            "Let processes of the build and helper container wait instead of killing one"
            " where they reach `memory`. Engines on cgroup v2 cannot do that and say so in a"
            " warning of their own.",
            same_as="oom_kill_disable",
        ),
    )
    oom_score_adjust: int = field(
        default=0,
        metadata=about(
            "How readily the kernel kills processes of the build and helper container where"
            " the host is out of memory.",
            same_as="oom_score_adjust",
            minimum=-1000,
            maximum=1000,
        ),
    )
    shm_size: int = field(
        default=0,
        metadata=about(
            "Size of /dev/shm in every container of a job. 0: the engine's default, 64 MiB.",
            same_as="shm_size",
            unit="bytes",
            minimum=0,
        ),
    )
    ulimit: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Limits of the processes in the build and helper container: a name such as"
            " `nofile`, and `soft` or `soft:hard`; `-1` is unlimited. Empty: the engine's"
            " defaults.",
            same_as="ulimit",
            check=checks.wrong_ulimit,
            check_name=checks.wrong_ulimit_name,
        ),
    )
