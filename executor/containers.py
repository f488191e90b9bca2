"""The containers of a job, each as a spec.

Pure: no I/O.
"""

import json
from typing import TYPE_CHECKING

from executor.build_environment import build_environment
from executor.certificate_files import (
    authorities,
    authority_tmpfs,
    cert_tmpfs,
    client_files,
    server_files,
)
from executor.certs import Certificates
from executor.credentials import client_config
from executor.dind_command import dockerd_command, without_shell
from executor.engine.keeper import DIRECTORY, DOCKER_CONFIG, keeper
from executor.engine.readiness import TRANSPORT_LABEL
from executor.host_config import build_host, dind_host, helper_host, service_host, tmpfs
from executor.images import ServiceName
from executor.labels import service_labels
from executor.mounting import (
    DATA_ROOT,
    build_volumes,
    dind_volumes,
    forgetting,
    keeps_umask,
    opening,
)
from executor.request import Request
from executor.services import NamedService
from executor.spec import ContainerSpec, FileSpec, Pull
from executor.users import build_user
from executor.variables import expand
from executor.volumes import job_volumes

if TYPE_CHECKING:
    from executor.sidecar import Sidecar

_PASSED_TO_DIND = (
    "DOCKER_DRIVER",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""The job's variables that the sidecar gets.  dockerd reads many more from its environment
(DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ...), which are meant for the client and would break it."""

_TMPFS = {DIRECTORY: "rw,exec,nosuid,nodev,mode=1777"}


def helper_container(request: Request, image: str) -> ContainerSpec:
    """Return the helper container: git, artifacts and caches; it has no word of the job."""
    settings, volumes = request.settings, job_volumes(request)
    open_all, umask = opening(volumes), "" if keeps_umask(request) else "umask 0000\n"
    return ContainerSpec(
        name=request.names.helper,
        image=image,
        labels=request.labels("helper"),
        network=request.names.network,
        hostname=request.hostname(),
        host=helper_host(request),
        # A job's image may run as any user, and its scripts write below the builds directory; the
        # umask is that of the Docker executor's helper.  A volume is opened again when all that
        # mount it exist: the engine fills an empty one from an image, with that one's mode.
        command=keeper(
            prelude=umask + forgetting(request, volumes) + open_all, before_first=open_all
        ),
        mounts=volumes.mounts,
        binds=volumes.binds,
        volume_driver=settings.docker.volume_driver,
        tmpfs=tmpfs(settings.docker.tmpfs, _TMPFS, (volumes.mounts, volumes.binds)),
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        runs_scripts=True,
    )


def build_container(
    request: Request,
    pull: Pull,
    sidecar: "Sidecar | None",
    certificates: Certificates | None,
) -> ContainerSpec:
    """Return the build container: the job's image, with all that a Docker client needs."""
    settings = request.settings
    way = sidecar.transport if sidecar else None
    volumes = build_volumes(request, way)
    trusted = authorities(request, volumes.binds)
    files = (
        *client_files(way, certificates),
        FileSpec(f"{DOCKER_CONFIG}/config.json", _client_config(request)),
        *trusted,
    )
    shown, hidden = build_environment(request, way)
    return ContainerSpec(
        name=request.names.build,
        image=pull.image,
        labels=request.labels("build"),
        network=request.names.network,
        hostname=request.hostname(),
        host=build_host(request, request.image_name),
        mac_address=settings.docker.mac_address,
        entrypoint=request.entrypoint(request.job.image),
        command=keeper(shares_pids=bool(settings.docker.pid_mode)),
        environment=shown,
        secret_environment=hidden,
        mounts=volumes.mounts,
        binds=volumes.binds,
        volume_driver=settings.docker.volume_driver,
        tmpfs=tmpfs(
            settings.docker.tmpfs,
            {
                **_TMPFS,
                **(cert_tmpfs(way.client_dir) if way and way.tls else {}),
                **authority_tmpfs(trusted),
            },
            (volumes.mounts, volumes.binds),
        ),
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=build_user(request),
        platform=pull.platform,
        runs_scripts=True,
    )


def dind_container(
    request: Request,
    sidecar: "Sidecar",
    aliases: tuple[str, ...],
    certificates: Certificates | None,
) -> ContainerSpec:
    """Return the dind sidecar, the one container of a job that is privileged as a rule."""
    settings, names, way = request.settings, request.names, sidecar.transport
    own = sidecar.own.request if sidecar.own else None
    entrypoint = request.entrypoint(own) if own and not sidecar.replaced else None
    command = own.command if own and not sidecar.replaced else ()
    entrypoint, command = without_shell(entrypoint, command)
    command, prelude = dockerd_command(request, way, entrypoint, command)
    volumes = dind_volumes(request, way)
    mounts = (*volumes.mounts, (names.docker_volume, DATA_ROOT))
    binds = (*volumes.binds, *settings.dind.volumes)
    trusted = authorities(request, binds)
    # In no tmpfs: that would hide the image's own authorities, and dind's files are root's to write.
    files = (*server_files(way, certificates), *trusted)
    environment = {
        **{key: request.value(key) for key in _PASSED_TO_DIND if request.value(key)},
        **(request.service_variables(own) if own else {}),
        "DOCKER_TLS_CERTDIR": way.cert_dir,
    }
    shown, hidden = request.split(environment)
    name = ServiceName.parse(sidecar.pull.image)
    return ContainerSpec(
        name=names.dind,
        image=sidecar.pull.image,
        labels={
            **request.labels("dind"),
            **request.split(service_labels(name.service, name.version))[0],
            TRANSPORT_LABEL: "tls" if way.tls else "tcp",
        },
        network=names.network,
        entrypoint=entrypoint,
        command=command,
        prelude=prelude,
        environment=shown,
        secret_environment=hidden,
        aliases=aliases,
        mounts=mounts,
        binds=binds,
        tmpfs=tmpfs(
            settings.docker.services_tmpfs,
            {
                **(cert_tmpfs(way.cert_dir) if way.tls else {}),
                **(_TMPFS if hidden else {}),
            },
            (mounts, binds),
        ),
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        platform=sidecar.pull.platform,
        host=dind_host(request, sidecar.pull.image),
        log_options=settings.docker.log_options,
    )


def service_container(
    request: Request, service: NamedService, aliases: tuple[str, ...], pull: Pull
) -> ContainerSpec:
    """Return a service beside the sidecar; it gets the job's public variables and its own."""
    settings, volumes = request.settings, job_volumes(request)
    shown, hidden = request.split(request.service_environment(service.request))
    return ContainerSpec(
        name=request.names.service(service.index),
        image=pull.image,
        labels={
            **request.labels("service"),
            **request.split(service_labels(service.name.service, service.name.version))[0],
        },
        network=request.names.network,
        entrypoint=request.entrypoint(service.request),
        command=service.request.command,
        environment=shown,
        secret_environment=hidden,
        tmpfs=tmpfs(
            settings.docker.services_tmpfs,
            _TMPFS if hidden else {},
            (volumes.mounts, volumes.binds),
        ),
        host=service_host(request, service.request.name),
        log_options=settings.docker.log_options,
        aliases=aliases,
        mounts=volumes.mounts,
        binds=volumes.binds,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=expand(service.request.user, request.value),
        platform=pull.platform,
    )


def _client_config(request: Request) -> bytes:
    """Return a config.json, on one line, that logs the job in to the registries it may use."""
    config = client_config(request.catalogue, without=(request.hidden_source,))
    return json.dumps(config).encode()
