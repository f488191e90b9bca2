"""Keys of the `[docker]` table about the engine itself: pure."""

from dataclasses import dataclass, field

from executor.notation import paths
from executor.settings import checks
from executor.settings.keys import about


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the engine is."""

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
            check=paths.wrong_path,
        ),
    )
    tls_verify: bool = field(
        default=False,
        metadata=about("Speak TLS to a `tcp://` engine and verify it.", same_as="tls_verify"),
    )
