"""Which of a job's volumes its containers mount.

Pure: no I/O.
"""

from executor.dataclass import replace
from executor.names import LABEL
from executor.notation.paths import DATA_ROOT, is_within
from executor.plan.inputs import Inputs
from executor.plan.transport import Transport
from executor.plan.volumes import JobVolumes
from executor.shell import DIRECTORY, SOCKETS

_DINDS_OWN = (
    DATA_ROOT,
    "/proc",
    "/sys",
    *(
        f"{run}/{each}"
        for run in ("/run", "/var/run")
        for each in ("docker", "docker.sock", "docker.pid", "containerd")
    ),
    DIRECTORY,
    f"/var{DIRECTORY}",
    SOCKETS,
    f"/var{SOCKETS}",
)
"""Where dockerd keeps or finds what it works with, such as its control groups; a socket of the host's engine belongs nowhere in dind."""


_ENGINE_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
"""Where such a socket usually is on the host; `[docker] host` may name another."""


def build_volumes(volumes: JobVolumes, way: Transport | None) -> JobVolumes:
    """Return what the build container mounts: all but what its certificates lie in, or beneath."""
    return volumes.clear_of((way.client_dir,)) if way and way.tls else volumes


def client_way(inputs: Inputs, volumes: JobVolumes, way: Transport) -> Transport:
    """Return the transport with certificates in memory of ours where their place is mounted.

    A job that says where they are gets them there, and what is mounted above is not.
    """
    says = {"DOCKER_CERT_PATH", "DOCKER_TLS_CERTDIR"} & inputs.values.keys()
    place = way.client_dir
    above = any(is_within(place, each.destination) for each in volumes.outside(place).all)
    return replace(way, client=f"{DIRECTORY}/client") if way.tls and above and not says else way


def dind_volumes(inputs: Inputs, volumes: JobVolumes, way: Transport) -> JobVolumes:
    """Return what dind sees too, so that `docker run -v` finds it at the job's own path."""
    own = (each.split(":")[1] for each in inputs.settings.dind.volumes)
    certificates = (way.cert_dir,) if way.tls else ()
    seen = volumes.clear_of((*_DINDS_OWN, *certificates, *own))
    socket = inputs.settings.docker.host.removeprefix("unix://")
    return seen.without_sources((*_ENGINE_SOCKETS, *([socket] if socket[:1] == "/" else [])))


def forgotten(inputs: Inputs, volumes: JobVolumes) -> str:
    """Return the directory of file variables that a killed job may have left, or "" for none.

    File variables lie beside the project, and gitlab-runner removes them at a job's end only where
    it comes to that; the next job is to see nothing of them.
    """
    path = inputs.values.get("RUNNER_TEMP_PROJECT_DIR", "")
    builds = volumes.builds
    lasts = builds.volume is None or LABEL not in builds.volume.labels
    ours = is_within(path, inputs.settings.builds_dir) and path.endswith(".tmp")
    return path if lasts and ours else ""


def keeps_umask(inputs: Inputs) -> bool:
    """Tell whether the helper's files belong to one user, in place of being everybody's."""
    return inputs.values.get("FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR") == "true"
