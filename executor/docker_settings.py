"""The `[docker]` table of the settings: pure.

A key that means what a key of gitlab-runner's `[runners.docker]` means carries its name.
"""

from dataclasses import dataclass, field

from executor import checks
from executor.keys import about


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """The engine on the runner host, and what its jobs may use."""

    host: str = field(
        default="",
        metadata=about(
            "Address of the Docker Engine that runs the jobs' containers: `unix://` and a path, or"
            " `tcp://` with host and port. Empty: `$DOCKER_HOST` of the gitlab-runner process,"
            " else `unix:///var/run/docker.sock`.",
            same_as="host",
            check=checks.wrong_engine,
        ),
    )
    tls_cert_path: str = field(
        default="",
        metadata=about(
            "Directory with `ca.pem`, `cert.pem` and `key.pem` for a `tcp://` engine.",
            same_as="tls_cert_path",
            check=checks.wrong_path,
        ),
    )
    tls_verify: bool = field(
        default=False,
        metadata=about("Speak TLS to a `tcp://` engine and verify it.", same_as="tls_verify"),
    )
    image: str = field(
        default="",
        metadata=about(
            "Image of jobs that name none; job variables in it are expanded. Empty: a job without"
            " an image fails.",
            same_as="image",
            check=checks.wrong_image,
        ),
    )
    helper_image: str = field(
        default="",
        metadata=about(
            "Image of the helper container: git, git-lfs, and `gitlab-runner` on its PATH in the"
            " runner's own version; job variables in it are expanded. Empty: gitlab-runner's own"
            " helper image for its version and the engine's architecture.",
            same_as="helper_image",
            check=checks.wrong_image,
        ),
    )
    allowed_images: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the images that jobs may use, matched against the whole name as the job"
            " writes it: `*` stays within a path component, `**` as a component crosses them. A"
            " pattern that starts with `!` excludes what it matches, whatever else admits it and"
            " however the job spells the image. Without an admitting pattern, all images that are"
            " not excluded are allowed.",
            same_as="allowed_images",
            check=checks.wrong_pattern,
        ),
    )
    allowed_services: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the services that jobs may use, as in `allowed_images`.",
            same_as="allowed_services",
            check=checks.wrong_pattern,
        ),
    )
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
    services_limit: int = field(
        default=-1,
        metadata=about(
            "How many services a job may have; the dind sidecar that a job did not ask for does"
            " not count. -1: any number.",
            same_as="services_limit",
            minimum=-1,
        ),
    )
    share_host_credentials: bool = field(
        default=True,
        metadata=about(
            "Log the jobs' Docker clients in with the docker configuration of the runner's user"
            " as well. Whoever writes a job can then read those credentials. false: they serve"
            " the runner's own pulls only."
        ),
    )
