"""What a container may use of memory and processors: the keys that three kinds of containers have.

`[docker]` has them for the build and helper container, and with the prefix `service_` for services;
`[dind]` has them for the sidecar.  Pure.
"""

from executor.settings import checks
from executor.settings.keys import Section, key


class Limits(Section):
    """What each container of a kind may use; "" and 0 where nothing is said."""

    memory: str = key(
        "Memory that {who} may use, such as `512m` or `4g`.",
        unset="no limit",
        default="",
        check=checks.wrong_size,
    )
    memory_swap: str = key(
        "Memory and swap together that {who} may use; `-1`: swap without a limit.",
        unset="the engine's default, twice as much as the memory",
        default="",
        check=checks.wrong_swap,
    )
    memory_reservation: str = key(
        "Memory that {who} is held to while the host is short of it.",
        unset="none",
        default="",
        check=checks.wrong_size,
    )
    cgroup_parent: str = key(
        "Parent cgroup of {who}.",
        unset="the engine's default",
        default="",
        check=checks.wrong_cgroup,
    )
    cpuset_cpus: str = key(
        "CPUs that {who} may run on, such as `0-3` or `0,2`.",
        unset="all",
        default="",
        check=checks.wrong_cpuset,
    )
    cpus: str = key(
        "How many CPUs' time {who} may use, as a number such as `0.5` or `1/3`.",
        unset="no limit",
        default="",
        check=checks.wrong_cpus,
    )
    cpu_shares: int = key(
        "CPU weight of {who} while CPUs are scarce.",
        unset="the engine's default, 1024",
        default=0,
        minimum=0,
    )

    def completed(self, others: "Limits") -> "Limits":
        """Return these limits, and those of others for which these have none."""
        return self.changed(
            **{name: value or vars(others)[name] for name, value in vars(self).items()}
        )
