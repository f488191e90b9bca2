"""The dind sidecar as a spec.

Pure: no I/O.
"""

from typing import TYPE_CHECKING

from executor.names import TRANSPORT_LABEL
from executor.notation.expansion import expand
from executor.notation.paths import DATA_ROOT
from executor.notation.service_names import ServiceName
from executor.plan.certificates import authorities, cert_tmpfs, server_files
from executor.plan.dockerd import dockerd_command, without_shell
from executor.plan.host_config import DRIVERS_TMPFS, dind_host, tmpfs
from executor.plan.inputs import Facts, Inputs
from executor.plan.labels import service_labels
from executor.plan.mounts import dind_volumes
from executor.plan.volumes import JobVolumes
from executor.runner.payload import JobImage
from executor.spec import ContainerSpec

if TYPE_CHECKING:
    from executor.plan.sidecar import Sidecar

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""What the sidecar gets even where it is private: it pulls and pushes for the job."""
_CLIENTS = (
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
)
"""What a job says to Docker's client; dockerd and its entrypoint read it too, and would break."""


def dind_container(
    inputs: Inputs,
    facts: Facts,
    volumes: JobVolumes,
    sidecar: "Sidecar",
    aliases: tuple[str, ...],
) -> ContainerSpec:
    """Return the dind sidecar, the one container of a job that is privileged as a rule."""
    settings, names, way = inputs.settings, inputs.names, sidecar.transport
    own = sidecar.own.asked if sidecar.own else None
    entrypoint = inputs.entrypoint(own) if own and not sidecar.replaced else None
    command = own.command if own and not sidecar.replaced else ()
    entrypoint, command = without_shell(entrypoint, command)
    command, prelude = dockerd_command(inputs, facts, way, entrypoint, command)
    volumes = dind_volumes(inputs, volumes, way)
    mounts = (*volumes.mounts, (names.docker_volume, DATA_ROOT))
    binds = (*volumes.binds, *settings.dind.volumes)
    trusted = authorities(facts, binds)
    # In no tmpfs: that would hide the image's own authorities, and dind's files are root's to write.
    files = (*server_files(way, facts.certificates), *trusted)
    shown, hidden = _dind_environment(inputs, own)
    shown["DOCKER_TLS_CERTDIR"] = way.cert_dir
    name = ServiceName.parse(sidecar.pull.image)
    return ContainerSpec(
        name=names.dind,
        image=sidecar.pull.image,
        labels={
            **inputs.labels("dind"),
            **inputs.split(service_labels(name.service, name.version))[0],
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
            settings.docker.services.services_tmpfs,
            {
                **(cert_tmpfs(way.cert_dir) if way.tls else {}),
                **(DRIVERS_TMPFS if hidden else {}),
            },
            (mounts, binds),
        ),
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=expand(own.user, inputs.value) if own and not sidecar.replaced else "",
        platform=sidecar.pull.platform,
        host=dind_host(inputs, sidecar.pull.image),
        log_options=settings.docker.containers.log_options,
    )


def _dind_environment(
    inputs: Inputs, own: JobImage | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the sidecar is told, as any service is, and what of it must not show.

    That is also what does not come with the job: gitlab-runner's operator may have put a password
    there, and dind has a shell to take it with.
    """
    public, variables = inputs.public_environment, inputs.service_variables(own) if own else {}
    others = {
        **inputs.runner_environment,
        **public,
        **{key: inputs.value(key) for key in _PROXIES if inputs.value(key)},
    }
    environment = {key: each for key, each in others.items() if key not in _CLIENTS} | variables
    environment.pop("DOCKER_TLS_CERTDIR", None)
    shown, hidden = inputs.split(environment, own)
    private = [key for key in shown if key not in public and key not in variables]
    return shown, hidden | {key: shown.pop(key) for key in private}
