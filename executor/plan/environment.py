"""Job + settings + facts → plan: everything that is decided for a job, before anything is done.

Pure: no I/O, no clock, no dice.
"""

from dataclasses import replace

from executor.errors import SettingsError
from executor.plan.containers import build_container, helper_container, service_container
from executor.plan.dind import dind_container
from executor.plan.inputs import Request
from executor.plan.network import ipv6_subnet
from executor.plan.proxies import direct_names, proxy_notices, with_direct_names
from executor.plan.services import free_aliases
from executor.plan.sidecar import Sidecar, services_of, sidecar_aliases, sidecar_notices
from executor.plan.volumes import job_volumes
from executor.runner.payload import Job
from executor.spec import Certificates, ImagePlan, NetworkSpec, Plan, VolumeSpec

BUILD_ALIAS = "build"
"""The name by which services reach the build container, unless one of them has it."""

_CERT_MARGIN_SECONDS = 2 * 3600
"""How long the certificates outlive the job's timeout: prepare and after_script come on top."""


def certificate_seconds(job: Job) -> int:
    """Return how long the job's certificates stay valid."""
    return job.timeout_seconds + _CERT_MARGIN_SECONDS


def plan_network(request: Request) -> NetworkSpec:
    """Return the job's network; it can be made before anything is pulled.

    Raises SettingsError where it is to have IPv6, and other jobs would reach it that way.
    """
    docker = request.settings.docker
    if docker.enable_ipv6 and not request.surroundings.separates_ipv6:
        raise SettingsError(
            "`[docker] enable_ipv6`: the Docker Engine does not keep jobs apart over IPv6; update it"
            ' to 27 or later, or set `"experimental": true` and `"ip6tables": true` in its'
            " daemon.json, or `enable_ipv6 = false` in the runner's settings."
        )
    return NetworkSpec(
        request.names.network,
        request.labels("network"),
        mtu=docker.network_mtu or request.surroundings.mtu,
        # Given by us, as engines before 27 have no IPv6 networks of their own.
        ipv6_subnet=ipv6_subnet(request.names.key, 0) if docker.enable_ipv6 else "",
    )


def plan_environment(
    request: Request,
    images: ImagePlan,
    sidecar: Sidecar | None,
    certificates: Certificates | None,
) -> Plan:
    """Decide what exists for the job, given its sidecar."""
    own = (sidecar.own, *sidecar.stands_for) if sidecar else ()
    others = [each for each in services_of(request) if each not in own]
    dind, notices = None, []
    if sidecar:
        dind = dind_container(request, sidecar, sidecar_aliases(sidecar), certificates)
        notices = sidecar_notices(sidecar, request.settings)
    volumes = job_volumes(request)
    named, skipped = free_aliases(others, set(dind.aliases if dind else ()))
    services = [
        service_container(request, each, aliases, images.services[each.index])
        for each, aliases in named
    ]
    taken = [*(dind.aliases if dind else ()), *(each for spec in services for each in spec.aliases)]
    own_name = () if BUILD_ALIAS in taken else (BUILD_ALIAS,)
    direct = direct_names([*taken, *own_name])
    build = build_container(request, images.build, sidecar, certificates)
    return Plan(
        network=plan_network(request),
        volumes=(*volumes.specs, *([_docker_volume(request)] if dind else [])),
        helper=helper_container(request, images.helper),
        build=with_direct_names(replace(build, aliases=own_name), direct, request.values),
        dind=with_direct_names(dind, direct) if dind else None,
        services=tuple(with_direct_names(each, direct) for each in services),
        notices=(*notices, *skipped, *_label_notices(request), *proxy_notices(request.values)),
        has_caches=volumes.has_caches,
    )


def _docker_volume(request: Request) -> VolumeSpec:
    return VolumeSpec(request.names.docker_volume, request.labels("volume"))


def _label_notices(request: Request) -> list[str]:
    return [
        f'WARNING: The label "{name}" is left out: its value holds a secret of the job.'
        for name in request.container_labels()[1]
    ]
