"""Job + settings + facts → plan: everything that is decided for a job, before anything is done.

Pure: no I/O, no clock, no dice.
"""

from executor.dataclass import replace
from executor.plan.certificates import certificate_notices
from executor.plan.containers import build_container, helper_container, service_container
from executor.plan.dind import dind_container
from executor.plan.docker_host import asked_aliases, host_notices
from executor.plan.elsewhere import elsewhere, is_covered
from executor.plan.inputs import Facts, Inputs
from executor.plan.mounts import client_way
from executor.plan.network import plan_network
from executor.plan.proxies import direct_names, proxy_notices, with_direct_names
from executor.plan.reach import plan_reach, socket_mount
from executor.plan.service_secrets import without_odd_names
from executor.plan.services import free_aliases, named_docker
from executor.plan.sidecar import Sidecar, no_sidecar_notice, sidecar_aliases, sidecar_notices
from executor.plan.transport import ALIAS
from executor.plan.volumes import JobVolumes, with_own_builds
from executor.spec import ContainerSpec, ImagePlan, NetworkSpec, Plan, VolumeSpec

BUILD_ALIAS = "build"
"""The name by which services reach the build container, unless one of them has it."""


def plan_environment(
    inputs: Inputs,
    images: ImagePlan,
    sidecar: Sidecar | None,
    facts: Facts,
) -> Plan:
    """Decide what exists for the job, given its images, its sidecar and all facts."""
    own = (sidecar.own, *sidecar.stands_for) if sidecar else ()
    others = [each for each in inputs.services if each not in own]
    volumes = with_own_builds(inputs) if facts.builds_are_taken else inputs.volumes
    dind, notices, shares = None, [], False
    if sidecar:
        aliases = (*sidecar_aliases(sidecar), *asked_aliases(inputs, sidecar, facts))
        dind = dind_container(inputs, facts, volumes, sidecar, aliases)
        # A client on the sidecar's own network may call it by that, and TLS verifies it.
        dind = replace(dind, hostname=ALIAS)
        notices = [
            *sidecar_notices(sidecar, inputs.settings),
            *host_notices(inputs, sidecar),
            *certificate_notices(inputs, sidecar),
        ]
        shares = set(socket_mount(inputs)) <= set(dind.mounts)
    elif inputs.settings.dind.mode == "always" and (other := named_docker(inputs.services)):
        notices = [no_sidecar_notice(other)]
    named, skipped = free_aliases(others, set(dind.aliases if dind else ()))
    services = []
    for each, aliases in named:
        spec = service_container(inputs, volumes, each, aliases, images.services[each.index])
        spec, said = without_odd_names(spec)
        services.append(spec)
        notices += said
    taken = [*(dind.aliases if dind else ()), *(each for spec in services for each in spec.aliases)]
    own_name = () if BUILD_ALIAS in taken else (BUILD_ALIAS,)
    direct = direct_names([*taken, *own_name])
    seen = _seen_from_build(inputs, volumes, sidecar) if sidecar else None
    reach = plan_reach(inputs, seen, dind.aliases if dind else (), shares_socket=shares)
    build = build_container(inputs, facts, volumes, images.build, seen, reach, direct)
    plan = Plan(
        network=plan_network(inputs, facts.surroundings),
        volumes=(
            *volumes.specs,
            *([_docker_volume(inputs)] if dind else []),
            *([_socket_volume(inputs)] if shares else []),
        ),
        helper=helper_container(inputs, volumes, images.helper),
        build=with_direct_names(replace(build, aliases=own_name), direct, inputs.values),
        dind=with_direct_names(dind, direct) if dind else None,
        services=tuple(with_direct_names(each, direct) for each in services),
        notices=(*notices, *skipped, *_label_notices(inputs), *proxy_notices(inputs.values)),
        has_caches=volumes.has_caches,
        dind_is_optional=sidecar is not None and sidecar.optional,
    )
    if facts.kept_network:
        plan = _on_network(plan, facts.kept_network)
    return _elsewhere(plan) if is_covered(inputs.volumes) else plan


def _seen_from_build(inputs: Inputs, volumes: JobVolumes, sidecar: Sidecar) -> Sidecar:
    return replace(sidecar, transport=client_way(inputs, volumes, sidecar.transport))


def _on_network(plan: Plan, network: NetworkSpec) -> Plan:
    """Return the plan of a job on another network than its own."""

    def moved(spec: ContainerSpec) -> ContainerSpec:
        return replace(spec, network=network.name)

    return replace(
        plan,
        network=network,
        helper=moved(plan.helper),
        build=moved(plan.build),
        dind=moved(plan.dind) if plan.dind else None,
        services=tuple(map(moved, plan.services)),
    )


def _elsewhere(plan: Plan) -> Plan:
    """Return the plan of a job whose containers have a mount at /run."""
    return replace(
        plan,
        helper=elsewhere(plan.helper),
        build=elsewhere(plan.build),
        dind=elsewhere(plan.dind) if plan.dind else None,
        services=tuple(map(elsewhere, plan.services)),
    )


def _docker_volume(inputs: Inputs) -> VolumeSpec:
    """Return the volume of dind's data; the job's claims have made it, unless somebody pruned them."""
    return VolumeSpec(inputs.names.docker_volume, inputs.labels("volume"), early=False)


def _socket_volume(inputs: Inputs) -> VolumeSpec:
    """Return the volume of the socket; asking for it before would take a request more."""
    return VolumeSpec(inputs.names.socket_volume, inputs.labels("volume"), early=False)


def _label_notices(inputs: Inputs) -> list[str]:
    return [
        (
            f'WARNING: The label "{name}" is not set, because its value contains a secret of the'
            " job. Change it in `[docker] container_labels`."
        )
        for name in inputs.container_labels[1]
    ]
