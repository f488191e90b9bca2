"""The `[docker]` table of the settings: pure.

A key that means what a key of gitlab-runner's `[runners.docker]` means has its name.  The keys of
one topic are a group of their own, in a module of their own; all groups are read from this table.
"""

from collections.abc import Mapping
from typing import ClassVar

from executor.notation import hosts, paths
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

    host: str = key(
        "Address of the Docker Engine that runs the jobs' containers: `unix://` and a path, or"
        " `tcp://` with host and port. Empty: `$DOCKER_HOST` of the gitlab-runner process,"
        " else `unix:///var/run/docker.sock`.",
        default="",
        check=hosts.wrong_engine,
    )
    tls_cert_path: str = key(
        "Directory with `ca.pem`, `cert.pem` and `key.pem` for a `tcp://` engine.",
        default="",
        check=paths.wrong_path,
    )
    tls_verify: bool = key("Speak TLS to a `tcp://` engine and verify it.", default=False)
    images: ImageSettings = group(factory=ImageSettings)
    limits: Limits = group(
        factory=Limits,
        who="each of the build and helper containers",
        also="The sidecar, in which images are built, has limits of its own in `[dind]`.",
    )
    containers: ContainerSettings = group(factory=ContainerSettings)
    service_limits: Limits = group(
        factory=Limits,
        prefix="service_",
        who="each service",
        also="The sidecar too, unless `[dind]` says otherwise.",
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
    network_mtu: int = key(
        "MTU of the job's network and of the networks inside dind. 0: the `mtu` of the engine's"
        " own configuration, or else that of the runner host's default route if it is below"
        " 1500 and the engine runs on the same host.",
        default=0,
        unit="bytes",
        minimum=0,
        maximum=65535,
    )
    enable_ipv6: bool = key(
        "Give the job's network, and dind's default network, private IPv6 addresses. Refused on"
        " an engine that would let jobs reach each other over them: before 27 it must have"
        ' `"experimental": true` and `"ip6tables": true` in its daemon.json.',
        default=False,
    )
    certs_d: str = key(
        "Directory on the runner host with the certificate authorities of registries, as the"
        " Docker Engine has them: `<host:port>/<any name>.crt`. dind and the job's own tools"
        " trust them too. Keys and client certificates beside them stay on the host.",
        default="/etc/docker/certs.d",
        ours=True,
        check=paths.wrong_path,
    )
