"""Which of a job's volumes its containers mount.

Pure: no I/O.
"""

from executor.names import LABEL
from executor.notation.paths import DATA_ROOT, is_within
from executor.plan.inputs import Request
from executor.plan.services import Transport
from executor.plan.volumes import JobVolumes, job_volumes
from executor.shell.keeper import quoted

__all__ = ["DATA_ROOT", "build_volumes", "dind_volumes", "forgetting", "keeps_umask", "opening"]

_DINDS_OWN = (
    DATA_ROOT,
    *(
        f"{run}/{each}"
        for run in ("/run", "/var/run")
        for each in ("docker", "docker.sock", "docker.pid", "containerd", "dind-executor")
    ),
)
"""Where dockerd keeps what it works with; a socket of the host's engine belongs nowhere in dind."""


_ENGINE_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
"""Where such a socket usually is on the host; `[docker] host` may name another."""


def build_volumes(request: Request, way: Transport | None) -> JobVolumes:
    """Return what the build container mounts: all but what lies where its certificates do."""
    volumes = job_volumes(request)
    return volumes.outside(way.client_dir) if way and way.tls else volumes


def dind_volumes(request: Request, way: Transport) -> JobVolumes:
    """Return what dind sees too, so that `docker run -v` finds it at the job's own path."""
    own = (each.split(":")[1] for each in request.settings.dind.volumes)
    certificates = (way.cert_dir,) if way.tls else ()
    volumes = job_volumes(request).clear_of((*_DINDS_OWN, *certificates, *own))
    socket = request.settings.docker.host.removeprefix("unix://")
    return volumes.without_sources((*_ENGINE_SOCKETS, *([socket] if socket[:1] == "/" else [])))


def forgetting(request: Request, volumes: JobVolumes) -> str:
    """Return the command that removes what an earlier job was ended with in the builds directory.

    File variables lie beside the project, and gitlab-runner removes them at a job's end only where
    it comes to that; the next job is to see nothing of them.
    """
    path = request.values.get("RUNNER_TEMP_PROJECT_DIR", "")
    (builds,) = (each for each in volumes.all if each.holds_builds)
    lasts = builds.volume is None or LABEL not in builds.volume.labels
    ours = is_within(path, request.settings.builds_dir) and path.endswith(".tmp")
    return f"rm -rf -- {quoted(path)}\n" if lasts and ours else ""


def keeps_umask(request: Request) -> bool:
    """Tell whether the helper's files belong to one user, in place of being everybody's."""
    return request.values.get("FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR") == "true"


def opening(volumes: JobVolumes) -> str:
    """Return the command with which any user of an image may write to the job's volumes."""
    paths = " ".join(quoted(each) for each in volumes.opened)
    return f"chmod 0777 {paths}\n" if paths else ""
