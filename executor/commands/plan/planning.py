"""From a job's inputs and facts to everything that prepare would ask of the engine: pure.

Each decision is made by the functions that prepare calls.
"""

from dataclasses import dataclass, replace

from executor.bounds import whole_number
from executor.commands.plan.facts import EngineFacts, guess
from executor.engine.container_request import container_request
from executor.engine.networks import network_request
from executor.engine.volumes import volume_request
from executor.names import JobNames
from executor.plan.dind import registries_kept
from executor.plan.dockerd import dockerd_options
from executor.plan.environment import plan_environment
from executor.plan.fitting import fitted
from executor.plan.images import HELPER_KEY, for_engine, plan_images
from executor.plan.inputs import Facts, Inputs
from executor.plan.kept_networks import found_for, plan_kept
from executor.plan.layers import plan_layers, store_of, with_store
from executor.plan.sidecar import Sidecar, choose_sidecar
from executor.spec import Certificates, ContainerSpec, ImageFacts, ImagePlan, Plan, Pull, VolumeSpec

_CERTIFICATES = Certificates(b"", b"", b"", b"", b"")
"""Stand for those of the job, which are made when it is prepared."""


@dataclass(frozen=True)
class Planned:
    """What a job would get."""

    inputs: Inputs
    images: ImagePlan
    sidecar: Sidecar | None
    plan: Plan
    pulls: tuple[Pull, ...]
    """All images, each once."""
    containers: dict[str, ContainerSpec]
    """As they are created, by what they are called in the job."""
    volumes: dict[str, VolumeSpec]
    requests: dict[str, dict[str, object]]
    """What the engine is asked to create, by `kind/name`; not what is secret."""
    facts: dict[str, ImageFacts]
    """What each container's image is."""
    dockerd: tuple[str, ...]
    """What the sidecar's daemon is told unless the service or its image says otherwise."""


def wanted_pulls(inputs: Inputs, architecture: str) -> tuple[ImagePlan, tuple[Pull, ...]]:
    """Return the images that are got before anything else; raises as `plan_images`."""
    images = for_engine(plan_images(inputs), architecture)
    helper = Pull(
        images.helper,
        policies=images.helper_policies,
        chosen_by=HELPER_KEY,
        falls_back=images.helper_falls_back,
    )
    default = (images.default_dind,) if images.default_dind else ()
    return images, tuple(dict.fromkeys((images.build, *images.services, *default, helper)))


def plan_job(inputs: Inputs, known: EngineFacts) -> Planned:
    """Plan a job; raises what prepare would, for what can be seen without pulling anything."""
    inputs = replace(inputs, generation=known.generation)
    images, pulls = wanted_pulls(inputs, known.architecture)
    facts = {pull: _facts(known, pull) for pull in images.services}
    sidecar = choose_sidecar(inputs, images, facts)
    if sidecar:
        pulls = tuple(dict.fromkeys((*pulls, sidecar.pull)))
    has_tls = sidecar is not None and sidecar.transport.tls
    found = Facts(
        known.surroundings,
        _CERTIFICATES if has_tls else None,
        builds_are_taken=known.builds_are_taken,
        docker_host_is_elsewhere=known.docker_host_is_elsewhere,
        kept_network=None if known.network_is_taken else plan_kept(inputs, known.surroundings),
    )
    plan = plan_environment(inputs, images, sidecar, found)
    # Those whose names the engine learns before it creates a container of them.
    volumes = {each.name: each for each in plan.volumes}
    containers: dict[str, ContainerSpec] = {}
    of_images: dict[str, ImageFacts] = {}
    layers = None if known.layers_are_taken else plan_layers(inputs)
    for role, spec in _roles(plan, inputs.names):
        image = _facts(known, Pull(spec.image, spec.platform))
        if spec.prelude and layers:
            store = store_of(layers, image)
            volumes[store.name] = store
            spec = with_store(spec, layers, store, image)  # noqa: PLW2901
        containers[role] = fitted(spec, image, keeps_layers=bool(spec.prelude and layers))
        of_images[role] = image
    api = tuple(number or 0 for number in map(whole_number, known.api.split(".")))
    own = next((each for each in known.surroundings.own_subnets if ":" not in each), "")
    network = replace(plan.network, subnet=own)
    is_there = found.kept_network and found_for(inputs, known.surroundings)
    requests = {
        **({} if is_there else {f"network/{network.name}": network_request(network)}),
        **{f"volume/{name}": volume_request(each) for name, each in volumes.items() if each.early},
        **{
            f"container/{each.name}": container_request(each, of_images[role], api, volumes)
            for role, each in containers.items()
        },
    }
    kept = dockerd_options(inputs, found, registries_kept(sidecar)) if sidecar else ()
    dockerd = (*inputs.settings.dind.command, *(each.argument for each in kept)) if sidecar else ()
    return Planned(
        inputs, images, sidecar, plan, pulls, containers, volumes, requests, of_images, dockerd
    )


def _roles(plan: Plan, names: JobNames) -> list[tuple[str, ContainerSpec]]:
    found = [("build", plan.build), ("helper", plan.helper)]
    if plan.dind:
        found.append(("dind", plan.dind))
    return [
        *found,
        *((each.name.removeprefix(f"{names.network}-"), each) for each in plan.services),
    ]


def _facts(known: EngineFacts, pull: Pull) -> ImageFacts:
    return known.image(pull) or guess(pull)
