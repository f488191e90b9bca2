"""The containers of a job, each as a spec.

Pure: no I/O.
"""

import json
from typing import TYPE_CHECKING

from executor.notation.expansion import expand
from executor.plan.admission import build_user
from executor.plan.certificates import (
    authorities,
    authority_tmpfs,
    cert_tmpfs,
    client_files,
)
from executor.plan.credentials import client_config
from executor.plan.host_config import DRIVERS_TMPFS, build_host, helper_host, service_host, tmpfs
from executor.plan.inputs import Request
from executor.plan.labels import service_labels
from executor.plan.mounts import (
    build_volumes,
    forgotten,
    keeps_umask,
)
from executor.plan.services import NamedService
from executor.plan.variables import build_environment
from executor.plan.volumes import job_volumes
from executor.shell import DOCKER_CONFIG
from executor.shell.keeper import keeper
from executor.spec import Certificates, ContainerSpec, FileSpec, Pull

if TYPE_CHECKING:
    from executor.plan.sidecar import Sidecar


def helper_container(request: Request, image: str) -> ContainerSpec:
    """Return the helper container: git, artifacts and caches; it has no word of the job."""
    settings, volumes = request.settings, job_volumes(request)
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
            umask="" if keeps_umask(request) else "0000",
            forgotten=forgotten(request, volumes),
            opened=volumes.opened,
        ),
        mounts=volumes.mounts,
        binds=volumes.binds,
        volume_driver=settings.docker.volume_driver,
        tmpfs=tmpfs(settings.docker.tmpfs, DRIVERS_TMPFS, (volumes.mounts, volumes.binds)),
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
                **DRIVERS_TMPFS,
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


def service_container(
    request: Request, service: NamedService, aliases: tuple[str, ...], pull: Pull
) -> ContainerSpec:
    """Return a service beside the sidecar; it gets the job's public variables and its own."""
    settings, volumes = request.settings, job_volumes(request)
    environment = request.service_environment(service.request)
    shown, hidden = request.split(environment, service.request)
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
            DRIVERS_TMPFS if hidden else {},
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
