"""The containers of a job, each as a spec.

Pure: no I/O.
"""

from executor.notation.expansion import expand
from executor.plan.admission import build_user, entrypoint
from executor.plan.certificates import (
    authorities,
    authority_tmpfs,
    cert_tmpfs,
    client_files,
)
from executor.plan.credentials import client_config
from executor.plan.host_config import OWN_TMPFS, build_host, helper_host, service_host, tmpfs
from executor.plan.inputs import Facts, Inputs
from executor.plan.labels import service_labels
from executor.plan.mounts import (
    build_volumes,
    forgotten,
    keeps_umask,
)
from executor.plan.proxies import client_proxies
from executor.plan.reach import Reach, client_link, client_of, socket_mount
from executor.plan.services import NamedService
from executor.plan.sidecar import Sidecar
from executor.plan.variables import build_environment
from executor.plan.volumes import JobVolumes
from executor.quick_json import dumps
from executor.shell import DOCKER_CONFIG
from executor.shell.keeper import keeper
from executor.spec import ContainerSpec, FileSpec, Pull


def helper_container(inputs: Inputs, volumes: JobVolumes, image: str) -> ContainerSpec:
    """Return the helper container: git, artifacts and caches; it has no word of the job."""
    settings = inputs.settings
    return ContainerSpec(
        name=inputs.names.helper,
        image=image,
        labels=inputs.labels("helper"),
        network=inputs.names.network,
        hostname=_hostname(inputs),
        host=helper_host(inputs),
        # A job's image may run as any user, and its scripts write below the builds directory; the
        # umask is that of the Docker executor's helper.  A volume is opened again when all that
        # mount it exist: the engine fills an empty one from an image, with that one's mode.
        command=keeper(
            inputs.names.helper,
            umask="" if keeps_umask(inputs) else "0000",
            forgotten=forgotten(inputs, volumes),
            opened=volumes.opened,
        ),
        mounts=volumes.mounts,
        binds=volumes.binds,
        volume_driver=settings.docker.volumes.volume_driver,
        tmpfs=tmpfs(settings.docker.containers.tmpfs, OWN_TMPFS, (volumes.mounts, volumes.binds)),
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        runs_scripts=True,
    )


def build_container(
    inputs: Inputs,
    facts: Facts,
    volumes: JobVolumes,
    pull: Pull,
    sidecar: Sidecar | None,
    reach: Reach,
    direct: str = "",
) -> ContainerSpec:
    """Return the build container: the job's image, with all that a Docker client needs.

    `direct` are the names that no proxy is to be asked for.
    """
    settings = inputs.settings
    way = sidecar.transport if sidecar else None
    volumes = build_volumes(volumes, way)
    trusted = authorities(facts, volumes.binds)
    files = (
        *client_files(way, facts.certificates),
        FileSpec(f"{DOCKER_CONFIG}/config.json", _client_config(inputs, sidecar, direct)),
        *trusted,
    )
    shown, hidden = build_environment(inputs.variables, reach.environment)
    own_tmpfs = {
        **OWN_TMPFS,
        **(cert_tmpfs(way.client_dir) if way and way.tls else {}),
        **authority_tmpfs(trusted),
    }
    places = tmpfs(settings.docker.containers.tmpfs, own_tmpfs, (volumes.mounts, volumes.binds))
    return ContainerSpec(
        name=inputs.names.build,
        image=pull.image,
        labels=inputs.labels("build"),
        network=inputs.names.network,
        hostname=_hostname(inputs),
        host=build_host(inputs, inputs.image_name),
        mac_address=settings.docker.containers.mac_address,
        entrypoint=entrypoint(inputs, inputs.job.image),
        command=keeper(
            inputs.names.build,
            shares_pids=bool(settings.docker.containers.pid_mode),
            client=client_of(inputs, reach, volumes, places),
        ),
        environment=shown,
        secret_environment=hidden,
        defaults=reach.defaults,
        link=client_link(inputs, volumes) if reach.socket else None,
        mounts=(*volumes.mounts, *(socket_mount(inputs) if reach.socket else ())),
        binds=volumes.binds,
        volume_driver=settings.docker.volumes.volume_driver,
        tmpfs=places,
        files=files,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=build_user(inputs),
        platform=pull.platform,
        runs_scripts=True,
    )


def service_container(
    inputs: Inputs,
    volumes: JobVolumes,
    service: NamedService,
    aliases: tuple[str, ...],
    pull: Pull,
) -> ContainerSpec:
    """Return a service beside the sidecar; it gets the job's public variables and its own."""
    settings = inputs.settings
    environment = inputs.variables.for_service(service.asked)
    shown, hidden = inputs.variables.split(environment, service.asked)
    own = {each.key for each in service.asked.variables}
    return ContainerSpec(
        name=inputs.names.service(service.index),
        image=pull.image,
        labels={
            **inputs.labels("service"),
            **inputs.variables.split(service_labels(service.name.service, service.name.version))[0],
        },
        network=inputs.names.network,
        entrypoint=entrypoint(inputs, service.asked),
        command=service.asked.command,
        environment=shown,
        secret_environment=hidden,
        dispensable=tuple(key for key in hidden if key not in own),
        tmpfs=tmpfs(
            settings.docker.services.services_tmpfs,
            OWN_TMPFS if hidden else {},
            (volumes.mounts, volumes.binds),
        ),
        host=service_host(inputs, service.asked.name),
        log_options=settings.docker.containers.log_options,
        aliases=aliases,
        mounts=volumes.mounts,
        binds=volumes.binds,
        extra_hosts=settings.docker.extra_hosts,
        dns=settings.docker.dns,
        dns_search=settings.docker.dns_search,
        user=expand(service.asked.user, inputs.variables.value),
        platform=pull.platform,
    )


def _client_config(inputs: Inputs, sidecar: Sidecar | None, direct: str) -> bytes:
    """Return a config.json, on one line, that logs the job in to the registries it may use."""
    config = client_config(inputs.catalogue, without=(inputs.hidden_source,))
    if sidecar and inputs.settings.dind.proxies_in_builds:
        config |= client_proxies(inputs.values, direct)
    return dumps(config).encode()


def _hostname(inputs: Inputs) -> str:
    """Return the administrator's host name, else gitlab-runner's: the runner, project and slot."""
    if inputs.settings.docker.containers.hostname:
        return inputs.settings.docker.containers.hostname
    short = inputs.values.get("CI_RUNNER_SHORT_TOKEN", "")
    slot = inputs.values.get("CI_CONCURRENT_PROJECT_ID", "0")
    name = f"runner-{short}-project-{inputs.job.project_id}-concurrent-{slot}".lower()
    kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "-"))
    return kept[:63].rstrip("-")
