"""The dind sidecar as a spec.

Pure: no I/O.
"""

from executor.errors import UnusableImage
from executor.names import TRANSPORT_LABEL
from executor.notation.expansion import expand
from executor.notation.paths import DATA_ROOT
from executor.notation.service_names import ServiceName
from executor.plan.admission import entrypoint as given_entrypoint
from executor.plan.authorities import authority_files, authority_memory, authority_prelude
from executor.plan.certificates import authorities, cert_tmpfs, sidecar_files
from executor.plan.dockerd import dockerd_prelude, registry_arguments
from executor.plan.host_config import OWN_TMPFS, dind_host, tmpfs
from executor.plan.inputs import Facts, Inputs
from executor.plan.labels import service_labels
from executor.plan.mounts import dind_volumes
from executor.plan.reach import socket_mount
from executor.plan.sidecar import Sidecar
from executor.plan.variables import dind_environment
from executor.plan.volumes import JobVolumes
from executor.spec import ContainerSpec, ImageFacts


def require_root(spec: ContainerSpec, image: ImageFacts) -> None:
    """Refuse a sidecar whose daemon does not run as root; raises UnusableImage.

    The certificates and the authorities of registries are root's files.
    """
    if not spec.runs_as_root(image):
        raise UnusableImage(
            f'The dind image "{spec.image}" runs as the user "{spec.user or image.user}". The sidecar'
            " needs a Docker daemon that runs as root: use an image such as `docker:29-dind`, without"
            " `-rootless`, and name no `user` for the service."
        )


def dind_container(
    inputs: Inputs,
    facts: Facts,
    volumes: JobVolumes,
    sidecar: Sidecar,
    aliases: tuple[str, ...],
) -> ContainerSpec:
    """Return the dind sidecar, the one container of a job that is privileged as a rule."""
    settings, names, way = inputs.settings, inputs.names, sidecar.transport
    own = sidecar.own.asked if sidecar.own else None
    entrypoint = given_entrypoint(inputs, own) if own and not sidecar.replaced else None
    command = own.command if own and not sidecar.replaced else ()
    prelude = dockerd_prelude(inputs, facts, way, registries_kept(sidecar))
    volumes = dind_volumes(inputs, volumes, way)
    mounts = (*volumes.mounts, (names.docker_volume, DATA_ROOT), *_shared(inputs, prelude))
    binds = (*volumes.binds, *settings.dind.volumes)
    trusted = authorities(facts, binds)
    # In no tmpfs: that would hide the image's own authorities, and dind's files are root's to write.
    files = (*sidecar_files(way, facts.certificates), *trusted, *authority_files(inputs))
    shown, hidden = dind_environment(inputs.variables, own, asked=sidecar.asked)
    shown["DOCKER_TLS_CERTDIR"] = way.cert_dir
    name = ServiceName.parse(sidecar.pull.image)
    return ContainerSpec(
        name=names.dind,
        image=sidecar.pull.image,
        labels={
            **inputs.labels("dind"),
            **inputs.variables.split(service_labels(name.service, name.version))[0],
            TRANSPORT_LABEL: "tls" if way.tls else "tcp",
        },
        network=names.network,
        entrypoint=entrypoint,
        command=command,
        prelude=authority_prelude(inputs) + prelude,
        environment=shown,
        secret_environment=hidden,
        aliases=aliases,
        mounts=mounts,
        binds=binds,
        tmpfs=tmpfs(
            settings.docker.services.services_tmpfs,
            {
                **(cert_tmpfs(way.cert_dir) if way.tls else {}),
                **OWN_TMPFS,
                **authority_memory(inputs),
            },
            (mounts, binds),
        ),
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=expand(own.user, inputs.variables.value) if own and not sidecar.replaced else "",
        platform=sidecar.pull.platform,
        host=dind_host(inputs, sidecar.pull.image),
        log_options=settings.docker.containers.log_options,
    )


def _shared(inputs: Inputs, prelude: str) -> tuple[tuple[str, str], ...]:
    """Return the volume of the socket, of which dockerd is told by the program before it."""
    return socket_mount(inputs) if prelude and inputs.settings.dind.socket else ()


def registries_kept(sidecar: Sidecar) -> list[str]:
    """Return what is kept of the services whose place another image takes."""
    replaced = (sidecar.own,) if sidecar.own and sidecar.replaced else ()
    return [
        argument
        for each in (*replaced, *sidecar.stands_for)
        for argument in registry_arguments((*(each.asked.entrypoint or ()), *each.asked.command))
    ]
