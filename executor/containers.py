"""The containers of a job, each as a spec.

Pure: no I/O.
"""

import json
from typing import TYPE_CHECKING

from executor.certs import Certificates
from executor.checks import overlap
from executor.credentials import client_config
from executor.dind_command import dockerd_command
from executor.engine.keeper import DIRECTORY, DOCKER_CONFIG, keeper, quoted
from executor.engine.readiness import TRANSPORT_LABEL
from executor.images import ServiceName
from executor.labels import service_labels
from executor.request import Request
from executor.services import NamedService, Transport
from executor.spec import ContainerSpec, FileSpec, Pull
from executor.users import build_user
from executor.variables import expand

if TYPE_CHECKING:
    from executor.sidecar import Sidecar

_DATA_ROOT = "/var/lib/docker"
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

_CERTS_D = "/etc/docker/certs.d"
"""Where dockerd, and other tools after its example, look for the authorities of a registry."""
_AUTHORITY = "dind-executor.crt"

_TMPFS = {DIRECTORY: "rw,exec,nosuid,nodev,mode=1777"}


def helper_container(request: Request, image: str) -> ContainerSpec:
    """Return the helper container: git, artifacts and caches; it has no word of the job."""
    settings = request.settings
    return ContainerSpec(
        name=request.names.helper,
        image=image,
        labels=request.labels("helper"),
        network=request.names.network,
        hostname=request.hostname(),
        # A job's image may run as any user, and its scripts write below the builds directory; the
        # umask is that of the Docker executor's helper.
        command=keeper(prelude=f"umask 0000\nchmod 0777 {quoted(settings.builds_dir)}\n"),
        mounts=((request.names.builds_volume, settings.builds_dir),),
        tmpfs=_TMPFS,
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
    authorities = _authorities(request)
    files = (
        *_client_files(way, certificates),
        FileSpec(f"{DOCKER_CONFIG}/config.json", _client_config(request)),
        *authorities,
    )
    environment = {
        "DOCKER_CONFIG": DOCKER_CONFIG,
        **(way.client_environment() if way else {}),
        **request.split(request.public_environment())[0],
    }
    return ContainerSpec(
        name=request.names.build,
        image=pull.image,
        labels=request.labels("build"),
        network=request.names.network,
        hostname=request.hostname(),
        entrypoint=request.entrypoint(request.job.image),
        command=keeper(),
        environment=environment,
        mounts=((request.names.builds_volume, settings.builds_dir),),
        tmpfs={
            **_TMPFS,
            **(_cert_tmpfs(way.client_dir) if way and way.tls else {}),
            **_authority_tmpfs(authorities),
        },
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
    """Return the dind sidecar, the one container of a job that may be privileged."""
    settings, names, way = request.settings, request.names, sidecar.transport
    own = sidecar.own.request if sidecar.own else None
    entrypoint = request.entrypoint(own) if own and not sidecar.replaced else None
    command = own.command if own and not sidecar.replaced else ()
    command, prelude = dockerd_command(request, way, entrypoint, command)
    authorities = _authorities(request, settings.dind.volumes)
    files = (*_server_files(way, certificates), *authorities)
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
            **service_labels(name.service, name.version),
            TRANSPORT_LABEL: "tls" if way.tls else "tcp",
        },
        network=names.network,
        entrypoint=entrypoint,
        command=command,
        prelude=prelude,
        environment=shown,
        secret_environment=hidden,
        aliases=aliases,
        mounts=(
            (names.builds_volume, settings.builds_dir),
            (names.docker_volume, _DATA_ROOT),
        ),
        binds=settings.dind.volumes,
        tmpfs={
            **(_cert_tmpfs(way.cert_dir) if way.tls else {}),
            **(_TMPFS if hidden else {}),
            **_authority_tmpfs(authorities),
        },
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        platform=sidecar.pull.platform,
        runtime=settings.dind.runtime,
        privileged=settings.dind.privileged,
    )


def service_container(
    request: Request, service: NamedService, aliases: tuple[str, ...], pull: Pull
) -> ContainerSpec:
    """Return a service beside the sidecar; it gets the job's public variables and its own."""
    settings = request.settings
    shown, hidden = request.split(request.service_environment(service.request))
    return ContainerSpec(
        name=request.names.service(service.index),
        image=pull.image,
        labels={
            **request.labels("service"),
            **service_labels(service.name.service, service.name.version),
        },
        network=request.names.network,
        entrypoint=request.entrypoint(service.request),
        command=service.request.command,
        environment=shown,
        secret_environment=hidden,
        tmpfs=_TMPFS if hidden else {},
        aliases=aliases,
        mounts=((request.names.builds_volume, settings.builds_dir),),
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=expand(service.request.user, request.value),
        platform=pull.platform,
    )


def _authorities(request: Request, binds: tuple[str, ...] = ()) -> tuple[FileSpec, ...]:
    """Return the certificates of private registries; what the operator mounts there stands.

    They say whom to trust, and are no secret; a tmpfs for each lets any user of an image have them.
    """
    if any(overlap(each.split(":")[1], _CERTS_D) for each in binds):
        return ()
    return tuple(
        FileSpec(f"{_CERTS_D}/{registry}/{_AUTHORITY}", content)
        for registry, content in request.surroundings.authorities
    )


def _authority_tmpfs(files: tuple[FileSpec, ...]) -> dict[str, str]:
    each_tmpfs = (_cert_tmpfs(each.path.rpartition("/")[0]) for each in files)
    return {path: options for tmpfs in each_tmpfs for path, options in tmpfs.items()}


def _cert_tmpfs(directory: str) -> dict[str, str]:
    """Return the tmpfs that keeps keys off the disk; any user of an image may write to it."""
    return {directory: "rw,noexec,nosuid,nodev,mode=1777"}


def _server_files(way: Transport, certificates: Certificates | None) -> tuple[FileSpec, ...]:
    """Return the server's side; with these in place an entrypoint makes no certificates itself.

    `ca/cert.pem` without its key is what older entrypoints (20.10.23 and before) look for.
    """
    if not way.tls or certificates is None:
        return ()
    return (
        FileSpec(f"{way.cert_dir.rstrip('/')}/ca/cert.pem", certificates.ca),
        FileSpec(f"{way.server_dir}/ca.pem", certificates.ca),
        FileSpec(f"{way.server_dir}/cert.pem", certificates.server),
        FileSpec(f"{way.server_dir}/key.pem", certificates.server_key),
    )


def _client_config(request: Request) -> bytes:
    """Return a config.json, on one line, that logs the job in to the registries it may use."""
    config = client_config(request.catalogue, without=(request.hidden_source,))
    return json.dumps(config).encode()


def _client_files(way: Transport | None, certificates: Certificates | None) -> tuple[FileSpec, ...]:
    """Return the client's side; any user of the job may read it, as with the official images."""
    if way is None or not way.tls or certificates is None:
        return ()
    return (
        FileSpec(f"{way.client_dir}/ca.pem", certificates.ca),
        FileSpec(f"{way.client_dir}/cert.pem", certificates.client),
        FileSpec(f"{way.client_dir}/key.pem", certificates.client_key),
    )
