"""A job's services: what counts as dind, which aliases each gets, how the job talks to the sidecar.

Pure: no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from executor.errors import (
    ExecutorError,
    PolicyViolation,
    ServiceConflict,
    SettingsError,
    UnsupportedJobOption,
)
from executor.notation.image_names import InvalidImage
from executor.notation.service_names import ServiceName, split_aliases
from executor.runner.payload import JobImage
from executor.spec import ImageFacts

ALIAS = "docker"
"""The name that always resolves to the sidecar."""

CERT_DIR = "/certs"
_TCP_PORT, _TLS_PORT = 2375, 2376
_NOT_FOR_FILES = ("/proc", "/sys", "/dev", "/var/lib/docker")
_DATA_ROOTS = ("/var/lib/docker", "/home/rootless/.local/share/docker")


@dataclass(frozen=True, slots=True)
class Transport:
    """How the job's Docker client reaches the sidecar."""

    tls: bool
    cert_dir: str
    """DOCKER_TLS_CERTDIR of sidecar and build container; empty on plain TCP."""

    @property
    def client_dir(self) -> str:
        """Return where the client's certificates lie."""
        return f"{self.cert_dir.rstrip('/')}/client"

    @property
    def server_dir(self) -> str:
        """Return where the server's certificates lie."""
        return f"{self.cert_dir.rstrip('/')}/server"

    def client_environment(self) -> dict[str, str]:
        """Return what any Docker client needs, whatever its image."""
        if not self.tls:
            return {"DOCKER_HOST": f"tcp://{ALIAS}:{_TCP_PORT}", "DOCKER_TLS_CERTDIR": ""}
        return {
            "DOCKER_HOST": f"tcp://{ALIAS}:{_TLS_PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": self.client_dir,
            "DOCKER_TLS_CERTDIR": self.cert_dir,
        }


@dataclass(frozen=True, slots=True)
class NamedService:
    """A service of the job with everything that its name and alias say."""

    index: int
    asked: JobImage
    name: ServiceName
    aliases: tuple[str, ...]
    internal: bool = False
    """Whether it is the operator's, which every job gets."""


def name_services(services: Sequence[JobImage], internal: int = 0) -> tuple[NamedService, ...]:
    """Parse the services' images and aliases; the first `internal` ones are the operator's.

    Raises UnsupportedJobOption, or SettingsError for one of the operator's, that has no good name.
    """
    named = []
    for index, asked in enumerate(services):
        try:
            name = ServiceName.parse(asked.name)
        except InvalidImage as error:
            if index < internal:
                raise SettingsError(f"`[[docker.services]]`: {error}.") from None
            raise UnsupportedJobOption(f"services[{index - internal}]: {error}.") from None
        # Docker's DNS knows no case: `Docker` is `docker`.
        given = (*name.aliases, *split_aliases(asked.alias))
        aliases = dict.fromkeys(alias.lower() for alias in given)
        named.append(NamedService(index, asked, name, tuple(aliases), index < internal))
    return tuple(named)


def looks_like_dind(name: ServiceName) -> bool:
    """Tell by its name alone whether a service is likely to be dind."""
    last = name.service.rpartition("/")[2]
    words = f"{last}-{name.version}" if last == "docker" else last
    return "dind" in words.replace("_", "-").replace(".", "-").split("-")


def is_dind(name: ServiceName, facts: ImageFacts) -> bool:
    """Tell whether a service is dind: by what its image is, else by its name."""
    if any(part.rpartition("/")[2].startswith("dockerd") for part in facts.entrypoint):
        return True
    ports = {port.partition("/")[0] for port in facts.ports}
    if ports & {str(_TCP_PORT), str(_TLS_PORT)} and set(facts.volumes) & set(_DATA_ROOTS):
        return True
    return looks_like_dind(name)


def find_dinds(
    services: Sequence[NamedService], facts: Sequence[ImageFacts]
) -> tuple[NamedService, ...]:
    """Return the service that takes the sidecar's place, and those that it stands in for.

    The operator's goes before those of the job.  Raises ServiceConflict where the job has more than
    one otherwise, or where another service claims the alias; SettingsError where the operator's do.
    """
    dinds = [each for each, fact in zip(services, facts, strict=True) if is_dind(each.name, fact)]
    operators = [each for each in dinds if each.internal]
    names = " and ".join(f'"{each.asked.name}"' for each in operators or dinds)
    both = f' are both Docker-in-Docker and would both answer to "{ALIAS}": keep one of them'
    if len(operators) > 1:
        raise SettingsError(f"`[[docker.services]]`: {names}{both}.")
    if not operators and len(dinds) > 1:
        raise ServiceConflict(f"The services {names}{both} in `services`.")
    for each in services:
        if each not in dinds and ALIAS in each.aliases:
            raise _claims_docker(each)
    return tuple(dinds)


def _claims_docker(service: NamedService) -> ExecutorError:
    claims = f'"{service.asked.name}" claims the name "{ALIAS}" and is not Docker-in-Docker'
    if service.internal:
        return SettingsError(f"`[[docker.services]]`: {claims}: give it another name.")
    return ServiceConflict(
        f"The service {claims}: use a docker:<version>-dind image, or give the service another"
        " name, or leave it out (this runner starts Docker-in-Docker itself)."
    )


def free_aliases(
    services: Sequence[NamedService], taken: set[str]
) -> tuple[list[tuple[NamedService, tuple[str, ...]]], list[str]]:
    """Give every alias to the first service that claims it; return sentences for the others."""
    result, notices = [], []
    for each in services:
        kept = []
        for alias in each.aliases:
            if alias in taken:
                notices.append(
                    f'WARNING: Skipping alias "{alias}" for service "{each.asked.name}"'
                    f" (services[{each.index}]): alias is already in use by another service."
                )
            else:
                taken.add(alias)
                kept.append(alias)
        result.append((each, tuple(kept)))
    return result, notices


def transport(
    values: Mapping[str, str], own: Mapping[str, str], *, allow_plain_tcp: bool
) -> Transport:
    """Decide between TLS and plain TCP from the job's variables and the dind service's own.

    The job is obeyed: an empty DOCKER_TLS_CERTDIR asks for plain TCP, and so does a DOCKER_HOST on
    port 2375 as long as DOCKER_TLS_CERTDIR is not set.  Raises PolicyViolation where the operator
    does not admit plain TCP.
    """
    cert_dir = own.get("DOCKER_TLS_CERTDIR", values.get("DOCKER_TLS_CERTDIR"))
    host = values.get("DOCKER_HOST", "")
    plain_host = cert_dir is None and host.rstrip("/").endswith(f":{_TCP_PORT}")
    if cert_dir == "" or plain_host:
        if allow_plain_tcp:
            return Transport(tls=False, cert_dir="")
        asked = f"DOCKER_HOST to {host}" if plain_host else 'DOCKER_TLS_CERTDIR to ""'
        raise PolicyViolation(
            f"The job sets {asked}, which asks for Docker without TLS, and this runner does not"
            " admit that (`[dind] allow_plain_tcp`): leave the variable out."
        )
    if cert_dir is None:
        return Transport(tls=True, cert_dir=CERT_DIR)
    wrong = not cert_dir.startswith("/") or ".." in cert_dir.split("/") or not cert_dir.strip("/")
    wrong = wrong or any(f"{cert_dir}/".startswith(f"{each}/") for each in _NOT_FOR_FILES)
    if wrong or not cert_dir.isprintable():
        raise UnsupportedJobOption(
            f'DOCKER_TLS_CERTDIR is "{cert_dir}": it must be an absolute path such as "{CERT_DIR}",'
            ' or "" for plain TCP.'
        )
    return Transport(tls=True, cert_dir=cert_dir)
