"""The `[docker]` table of the settings: pure.

A key that means what a key of gitlab-runner's `[runners.docker]` means carries its name.  The table
is one chain of classes, a module for each topic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from executor.notation import paths
from executor.settings import checks
from executor.settings.keys import about
from executor.settings.services import ServiceSettings


@dataclass(frozen=True, slots=True)
class DockerSettings(ServiceSettings):
    """The engine on the runner host, and what its jobs may use."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "network_mode": (
            "each job has a network of its own, so that `docker` and the names of services lead to"
            " its own containers; leave the key out (docs/network.md says what to do instead)"
        ),
        "links": (
            "links work on the engine's default bridge alone, and each job has a network of its own;"
            " name the other container in `extra_hosts`, or make it a service"
        ),
        "isolation": "containers on Linux have one kind of isolation; leave the key out",
        "service_slot_cgroup_template": (
            "gitlab-runner gives slots to its own executors alone; `service_cgroup_parent` and"
            " `cgroup_parent` of `[dind]` name one cgroup for all jobs"
        ),
    }
    """Keys of `[runners.docker]` that cannot be here, and why."""

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
            "MTU of the job's network and of the networks inside dind. 0: the `mtu` of the engine's"
            " own configuration, or else that of the runner host's default route if it is below"
            " 1500 and the engine runs on the same host.",
            same_as="network_mtu",
            unit="bytes",
            minimum=0,
            maximum=65535,
        ),
    )
    enable_ipv6: bool = field(
        default=False,
        metadata=about(
            "Give the job's network, and dind's default network, private IPv6 addresses. Refused on"
            " an engine that would let jobs reach each other over them: before 27 it must have"
            ' `"experimental": true` and `"ip6tables": true` in its daemon.json.',
            same_as="enable_ipv6",
        ),
    )
    certs_d: str = field(
        default="/etc/docker/certs.d",
        metadata=about(
            "Directory on the runner host with the certificate authorities of registries, as the"
            " Docker Engine has them: `<host:port>/<any name>.crt`. dind and the job's own tools"
            " trust them too. Keys and client certificates beside them stay on the host.",
            check=paths.wrong_path,
        ),
    )
