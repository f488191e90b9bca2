"""How a job's Docker client reaches the sidecar: with TLS, or by plain TCP.

Pure: no I/O.
"""

from collections.abc import Mapping

from executor.dataclass import dataclass, field
from executor.errors import UnsupportedJobOption
from executor.names import TCP_PORT, TLS_PORT
from executor.notation.hosts import host_of
from executor.notation.paths import CERTS_DIRECTORY, DATA_ROOT

ALIAS = "docker"
"""The name that always resolves to the sidecar."""

_NOT_FOR_FILES = ("/proc", "/sys", "/dev", DATA_ROOT)


@dataclass(frozen=True, slots=True)
class Transport:
    """How the job's Docker client reaches the sidecar."""

    tls: bool
    cert_dir: str
    """DOCKER_TLS_CERTDIR of sidecar and build container; empty on plain TCP."""
    asked_by: str = field(default="", compare=False)
    """What the job sets to get plain TCP, as a sentence has it; empty with TLS."""

    client: str = ""
    """Where the client's certificates lie, where that is not below `cert_dir`."""

    @property
    def client_dir(self) -> str:
        """Return where the client's certificates lie."""
        return self.client or f"{self.cert_dir.rstrip('/')}/client"

    @property
    def server_dir(self) -> str:
        """Return where the server's certificates lie."""
        return f"{self.cert_dir.rstrip('/')}/server"

    def client_environment(self) -> dict[str, str]:
        """Return what leads any Docker client to the sidecar's port, whatever its image."""
        if not self.tls:
            return {"DOCKER_HOST": f"tcp://{ALIAS}:{TCP_PORT}", "DOCKER_TLS_CERTDIR": ""}
        return {
            "DOCKER_HOST": f"tcp://{ALIAS}:{TLS_PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": self.client_dir,
            "DOCKER_TLS_CERTDIR": self.cert_dir,
        }


def leads_to_sidecar(host: str) -> bool:
    """Tell whether a DOCKER_HOST names the sidecar of a job that lists no dind service."""
    authority = host.partition("://")[2] or host
    return host_of(authority).lower() == ALIAS


def transport(
    values: Mapping[str, str], own: Mapping[str, str], *, plain_by_itself: bool = False
) -> Transport:
    """Decide between TLS and plain TCP from the job's variables and the dind service's own.

    The job is obeyed: an empty DOCKER_TLS_CERTDIR asks for plain TCP, and so does a DOCKER_HOST on
    its port as long as DOCKER_TLS_CERTDIR is not set.  `admission.admit_transport` has its say
    after it.  Where neither is set, plain TCP is also for a dind service that is `plain_by_itself`.
    Raises UnsupportedJobOption for a directory that cannot hold certificates.
    """
    cert_dir = own.get("DOCKER_TLS_CERTDIR", values.get("DOCKER_TLS_CERTDIR"))
    host = values.get("DOCKER_HOST", "")
    plain_host = cert_dir is None and host.rstrip("/").endswith(f":{TCP_PORT}")
    if cert_dir == "" or plain_host:
        asked = f"DOCKER_HOST to {host}" if plain_host else 'DOCKER_TLS_CERTDIR to ""'
        return Transport(tls=False, cert_dir="", asked_by=asked)
    if cert_dir is None and plain_by_itself and not host.rstrip("/").endswith(f":{TLS_PORT}"):
        return Transport(tls=False, cert_dir="")
    if cert_dir is None:
        return Transport(tls=True, cert_dir=CERTS_DIRECTORY)
    wrong = not cert_dir.startswith("/") or ".." in cert_dir.split("/") or not cert_dir.strip("/")
    wrong = wrong or any(f"{cert_dir}/".startswith(f"{each}/") for each in _NOT_FOR_FILES)
    if wrong or not cert_dir.isprintable():
        raise UnsupportedJobOption(
            f'DOCKER_TLS_CERTDIR is "{cert_dir}". Set it to an absolute path such as'
            f' "{CERTS_DIRECTORY}", or to "" for plain TCP.'
        )
    return Transport(tls=True, cert_dir=cert_dir)


def optional_transport(values: Mapping[str, str]) -> Transport:
    """Decide for a sidecar that nobody lists as a service: what is meant for others is not obeyed.

    That is a DOCKER_HOST that leads elsewhere, or a directory that cannot hold certificates.
    """
    elsewhere = not leads_to_sidecar(values.get("DOCKER_HOST", ""))
    others = {key: each for key, each in values.items() if not (elsewhere and key == "DOCKER_HOST")}
    try:
        return transport(others, {})
    except UnsupportedJobOption:
        return Transport(tls=True, cert_dir=CERTS_DIRECTORY)
