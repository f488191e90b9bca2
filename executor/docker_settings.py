"""The `[docker]` table of the settings: pure.

A key that means what a key of gitlab-runner's `[runners.docker]` means carries its name.  The table
is one chain of classes, a module for each topic.
"""

from dataclasses import dataclass, field

from executor import checks
from executor.keys import about
from executor.service_settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class DockerSettings(ServiceSettings):
    """The engine on the runner host, and what its jobs may use."""

    extra_hosts: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Lines `name:ip` for /etc/hosts of every container of a job.",
            same_as="extra_hosts",
            check=checks.wrong_extra_host,
        ),
    )
    dns: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "DNS servers of every container of a job, as IP addresses. Empty: the engine's.",
            same_as="dns",
            check=checks.wrong_ip,
        ),
    )
    dns_search: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "DNS search domains of every container of a job. Empty: the engine's.",
            same_as="dns_search",
            check=checks.wrong_domain,
        ),
    )
    network_mtu: int = field(
        default=0,
        metadata=about(
            "MTU of the job's network and of dind's default network. 0: the engine's default.",
            same_as="network_mtu",
            unit="bytes",
            minimum=0,
            maximum=65535,
        ),
    )
    enable_ipv6: bool = field(
        default=False,
        metadata=about("Give the job's network IPv6 addresses.", same_as="enable_ipv6"),
    )
