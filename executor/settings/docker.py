"""The `[docker]` table of the settings: pure.

A key that means what a key of gitlab-runner's `[runners.docker]` means has its name.  The keys of
one topic are a group of their own, in a module of their own; all groups are read from this table.
"""

from collections.abc import Mapping
from typing import ClassVar

from executor.notation import hosts, paths
from executor.notation.subnets import wrong_pool
from executor.settings.containers import ContainerSettings
from executor.settings.images import ImageSettings
from executor.settings.keys import Section, group, key
from executor.settings.limits import Limits
from executor.settings.services import ServiceSettings
from executor.settings.volumes import VolumeSettings


class DockerSettings(Section):
    """The engine on the runner host, and what its jobs may use."""

    SAME_AS = "[runners.docker]"
    REFUSED: ClassVar[Mapping[str, str]] = {
        "network_mode": (
            "each job has its own network, where `docker` and the names of services lead to its own"
            " containers; remove the key (docs/network.md says what to do instead)"
        ),
        "links": (
            "links only work on the engine's default bridge, and each job has its own network;"
            " name the other container in `extra_hosts`, or make it a service"
        ),
        "isolation": "containers on Linux have only one kind of isolation; remove the key",
        "service_slot_cgroup_template": (
            "gitlab-runner gives slots only to its own executors; set `service_cgroup_parent`, and"
            " `cgroup_parent` of `[dind]`, to one cgroup for all jobs"
        ),
    }
    """Keys of `[runners.docker]` that cannot be here, and why."""

    host: str = key(
        "Address of the Docker Engine that runs the jobs' containers: `unix://` with a"
        " path, or `tcp://` with host and port. Empty: `$DOCKER_HOST` of the gitlab-runner"
        " process, or else `unix:///var/run/docker.sock`.",
        default="",
        check=hosts.wrong_engine,
    )
    tls_cert_path: str = key(
        "Directory with `ca.pem`, `cert.pem` and `key.pem` for a `tcp://` engine.",
        default="",
        check=paths.wrong_path,
    )
    tls_verify: bool = key(
        "Use TLS with a `tcp://` engine and verify its certificate.", default=False
    )
    images: ImageSettings = group(factory=ImageSettings)
    limits: Limits = group(
        factory=Limits,
        who="each of the build and helper containers",
        also="For the sidecar, see `[dind]`.",
    )
    containers: ContainerSettings = group(factory=ContainerSettings)
    service_limits: Limits = group(
        factory=Limits,
        prefix="service_",
        who="each service",
        also="The sidecar too, unless `[dind]` sets another value.",
    )
    services: ServiceSettings = group(factory=ServiceSettings)
    volumes: VolumeSettings = group(factory=VolumeSettings)
    extra_hosts: tuple[str, ...] = key(
        "Lines `name:ip` for /etc/hosts of every container of a job.",
        default=(),
        check=hosts.wrong_extra_host,
    )
    dns: tuple[str, ...] = key(
        "DNS servers of every container of a job, as IP addresses. Empty: the engine's.",
        default=(),
        check=hosts.wrong_ip,
    )
    dns_search: tuple[str, ...] = key(
        "DNS search domains of every container of a job. Empty: the engine's.",
        default=(),
        check=hosts.wrong_domain,
    )
    network_pool: tuple[str, ...] = key(
        "Ranges of IPv4 addresses, in CIDR form, that the networks of jobs come from: each job gets"
        " 32 addresses, or more if it has more than 20 services. Networks of the engine and routes"
        " of the host inside a range are left out. Empty: if dind-executor sees the routes of the"
        " engine's host, small networks in the ranges that the engine itself uses; elsewhere the"
        " engine chooses, which is enough for about 30 jobs at a time.",
        default=(),
        ours=True,
        check=wrong_pool,
    )
    keep_network: bool = key(
        "Keep the network of a job, with nothing on it, for the next job in the same slot of the runner:"
        " each job then ends about a tenth of a second earlier (see docs/network.md). A job that finds"
        " anything on it gets a network of its own.",
        default=False,
        ours=True,
    )
    network_mtu: int = key(
        "MTU of the job's network and of the networks inside dind. 0: the `mtu` of the"
        " engine's own configuration. If that is not set and the engine runs on the runner"
        " host: the MTU of the host's default route, if it is below 1500.",
        default=0,
        unit="bytes",
        minimum=0,
        maximum=65535,
    )
    enable_ipv6: bool = key(
        "Give private IPv6 addresses to the job's network and to dind's default network."
        " Jobs fail on an engine that would let them reach each other over IPv6: before"
        ' version 27, the engine must have `"experimental": true` and `"ip6tables": true` in'
        " its daemon.json.",
        default=False,
    )
    certs_d: str = key(
        "Directory on the runner host with the certificate authorities of registries, laid"
        " out as for the Docker Engine: `<host:port>/<any name>.crt`. dind and the job's own"
        " tools trust them too. Keys and client certificates in it stay on the host.",
        default="/etc/docker/certs.d",
        ours=True,
        check=paths.wrong_path,
    )
