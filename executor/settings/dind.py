"""The `[dind]` table of the settings: pure."""

from dataclasses import dataclass, field

from executor.settings import checks
from executor.settings.keys import about


@dataclass(frozen=True, slots=True)
class SidecarSettings:
    """What the sidecar runs, and how jobs reach it."""

    mode: str = field(
        default="always",
        metadata=about(
            "Which jobs get a sidecar: `always` means all, `service` those that list a dind"
            " service.",
            choices=("always", "service"),
        ),
    )
    image: str = field(
        default="docker:28-dind",
        metadata=about(
            "Image of the sidecar, unless the job's own dind service takes its place.",
            check=checks.wrong_fixed_image,
        ),
    )
    allowed_images: tuple[str, ...] = field(
        default=("docker:*dind*", "**/docker:*dind*"),
        metadata=about(
            "Patterns for the images that a job's own dind service may have, as in"
            " `allowed_images` of `[docker]`. Any other runs as `image` in its place: the sidecar"
            " may be privileged, and whoever chooses a privileged image has the host. The default"
            " goes by the name alone, from any registry: name your registries where authors are"
            " not trusted. An empty list admits any image.",
            check=checks.wrong_pattern,
        ),
    )
    runtime: str = field(
        default="",
        metadata=about(
            "OCI runtime of the sidecar, such as `sysbox-runc`, which needs no privileges."
            " Empty: the engine's default.",
            check=checks.wrong_runtime,
        ),
    )
    privileged: bool = field(
        default=True,
        metadata=about(
            "Run the sidecar privileged, whatever `privileged` of `[docker]` says.",
            otherwise="true where `runtime` is empty, else false",
        ),
    )
    allow_plain_tcp: bool = field(
        default=True,
        metadata=about(
            'Let a job that sets `DOCKER_TLS_CERTDIR: ""` reach its sidecar without TLS, on port'
            " 2375 of the job's own network."
        ),
    )
    ready_timeout: int = field(
        default=60,
        metadata=about(
            "How long the sidecar may take, from its start, to answer before the job fails.",
            unit="seconds",
            minimum=1,
            maximum=3600,
        ),
    )
    volumes: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Binds `source:destination` or `source:destination:ro` of the sidecar; the source is an"
            " absolute path on the engine's host or the name of a volume. All jobs share them. The"
            " destination may not cover /certs, /var/lib/docker, `builds_dir` or `cache_dir`.",
            check=checks.wrong_bind,
        ),
    )
    command: tuple[str, ...] = field(
        default=(),
        metadata=about(
            'Extra arguments of dockerd, such as `"--max-concurrent-downloads=6"`; those of a'
            " job's own dind service come after them.",
            check=checks.wrong_argument,
        ),
    )
    inherit_registries: bool = field(
        default=True,
        metadata=about(
            "Give dind the registry mirrors and the insecure registries of the engine's own"
            " configuration, where `registry_mirrors` and `insecure_registries` name none; but not"
            " those on the host's loopback, which dind cannot reach.",
        ),
    )
    registry_mirrors: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "URLs of mirrors that dind asks for images of Docker Hub first. Empty: see"
            " `inherit_registries`.",
            check=checks.wrong_mirror,
        ),
    )
    insecure_registries: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Registries, `host:port` or a network in CIDR form, that dind reaches by plain HTTP or"
            " with a certificate that nobody vouches for. Empty: see `inherit_registries`.",
            check=checks.wrong_insecure_registry,
        ),
    )
