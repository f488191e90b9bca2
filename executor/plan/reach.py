"""What a job is told of the sidecar, so that its Docker client finds it.

A job that says nothing of Docker's transport gets the sidecar's socket where the client looks by
itself, and next to no variables: those would beat the contexts and builders that a script makes.
Pure: no I/O.
"""

from collections.abc import Iterable

from executor.dataclass import dataclass, field, replace
from executor.names import LABEL
from executor.notation.hosts import host_of
from executor.plan.inputs import Inputs
from executor.plan.sidecar import Sidecar
from executor.plan.transport import ALIAS
from executor.plan.volumes import JobVolumes
from executor.shell import SOCKET, SOCKET_DIRECTORY
from executor.shell.client import Client
from executor.spec import ContainerSpec, Defaults, ImageFacts, Link

CLIENT_LINK = "/var/run/docker.sock"
"""Where Docker's client looks for a daemon."""

_TLS = ("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_CERT_DIR = "DOCKER_TLS_CERTDIR"


@dataclass(frozen=True, slots=True)
class Reach:
    """How the build container's Docker client finds the sidecar."""

    environment: dict[str, str] = field(default_factory=dict)
    """Variables that the job gets unless it sets them itself."""
    defaults: Defaults = Defaults()
    client: Client = Client()
    """What the keeper does."""

    @property
    def socket(self) -> str:
        """Return where the sidecar's socket is; empty where it has none for the job."""
        return self.client.socket


def plan_reach(
    inputs: Inputs, sidecar: Sidecar | None, aliases: tuple[str, ...], *, shares_socket: bool
) -> Reach:
    """Decide how the job reaches its sidecar, which has these names and may share a socket."""
    if sidecar is None:
        return Reach()
    socket = SOCKET if shares_socket else ""
    every = sidecar.transport.client_environment()
    if _names_another(inputs, aliases):
        # An entrypoint of Docker's official images names the sidecar where nobody names a daemon.
        context = bool(socket and "DOCKER_HOST" not in inputs.values)
        defaults = Defaults({"DOCKER_HOST": f"unix://{socket}"} if context else {})
        return Reach(defaults=defaults, client=Client(socket, forgets_host=context))
    if not socket or _names_transport(inputs, sidecar):
        return Reach(environment=every, client=Client(socket))
    silent = {"DOCKER_HOST": f"unix://{socket}", "TESTCONTAINERS_HOST_OVERRIDE": ALIAS}
    return Reach(
        defaults=Defaults(silent, _TLS, every),
        client=Client(socket, otherwise=tuple(f"{key}={each}" for key, each in every.items())),
    )


def client_of(inputs: Inputs, reach: Reach, volumes: JobVolumes, tmpfs: Iterable[str]) -> Client:
    """Return what the keeper of the build container does, which has these volumes and tmpfs."""
    ours = (each.destination for each in volumes.all if each.volume and LABEL in each.volume.labels)
    return reach.client._replace(
        images_config="DOCKER_CONFIG" not in inputs.values,
        own=(*tmpfs, *ours),
        joins_volumes=bool(inputs.settings.docker.containers.volumes_from),
    )


def client_link(inputs: Inputs, volumes: JobVolumes) -> Link | None:
    """Return the link to the socket; `volumes` are those that the build container mounts.

    None where nobody knows what else is mounted: other containers' volumes are the administrator's.
    """
    containers = inputs.settings.docker.containers
    foreign = (*(each.destination for each in volumes.all), *containers.tmpfs)
    return None if containers.volumes_from else Link(CLIENT_LINK, SOCKET, foreign)


def socket_mount(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Return the mount of the socket's volume, which sidecar and build container have."""
    return ((inputs.names.socket_volume, SOCKET_DIRECTORY),)


def heeding_image(spec: ContainerSpec, image: ImageFacts) -> ContainerSpec:
    """Return a container with the variables that its image leaves to us, and no needless link.

    Root's own program makes that as it starts.
    """
    own = {each.partition("=")[0] for each in image.environment}
    defaults = spec.defaults
    chosen = defaults.silent if own.isdisjoint(defaults.named) else defaults.instead
    added = {key: value for key, value in chosen.items() if key not in own}
    link = None if spec.runs_as_root(image) else spec.link
    return replace(spec, environment={**added, **spec.environment}, link=link)


def _names_another(inputs: Inputs, aliases: tuple[str, ...]) -> bool:
    """Tell whether the job names a daemon that is not the sidecar, or leaves it to a context."""
    host = inputs.values.get("DOCKER_HOST")
    if host is None:
        return bool(inputs.values.get("DOCKER_CONTEXT"))
    scheme, _, authority = host.rpartition("://")
    is_address = scheme in {"", "tcp", "http", "https"}
    return not (is_address and host_of(authority).lower() in aliases)


def _names_transport(inputs: Inputs, sidecar: Sidecar) -> bool:
    """Tell whether the job says how its client reaches the sidecar.

    A directory for certificates says so where the job lists dind; elsewhere it is meant for others.
    """
    values = inputs.values
    if "DOCKER_HOST" in values or any(key in values for key in _TLS):
        return True
    dinds = (*([sidecar.own] if sidecar.own else []), *sidecar.stands_for)
    by_service = any(each.key == _CERT_DIR for dind in dinds for each in dind.asked.variables)
    if not sidecar.transport.tls and (by_service or _CERT_DIR in values):
        return True
    return bool(dinds) and (by_service or inputs.job.sets(_CERT_DIR))
