"""What a container may use of memory and processors: the keys that three kinds of containers have.

`[docker]` has them for the build and helper container, and with the prefix `service_` for services;
`[dind]` has them for the sidecar.  Pure.
"""

from executor.settings import checks
from executor.settings.keys import Section, key

MOST_PIDS = 4 * 1024 * 1024
"""The most processes that a kernel of 64 bits has."""


class Limits(Section):
    """What each container of a kind may use; "" and 0 stand for no limit."""

    memory: str = key(
        "Memory that {who} may use, such as `512m` or `4g`.",
        unset="no limit",
        default="",
        check=checks.wrong_size,
    )
    memory_swap: str = key(
        "Memory and swap together that {who} may use. `-1` means swap without a limit.",
        unset="the engine's default, twice as much as the memory",
        default="",
        check=checks.wrong_swap,
    )
    memory_reservation: str = key(
        "Memory to which the kernel pushes {who} back when the host is short of it.",
        unset="no reservation",
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
        unset="all CPUs",
        default="",
        check=checks.wrong_cpuset,
    )
    cpus: str = key(
        "CPU time that {who} may use, as a number of CPUs such as `0.5` or `1/3`.",
        unset="no limit",
        default="",
        check=checks.wrong_cpus,
    )
    cpu_shares: int = key(
        "CPU weight of {who} when CPU time is scarce.",
        unset="the engine's default, 1024",
        default=0,
        minimum=0,
    )

    def completed(self, others: "Limits") -> "Limits":
        """Return these limits, and those of others for which these have none."""
        return self.changed(
            **{name: value or vars(others)[name] for name, value in vars(self).items()}
        )
