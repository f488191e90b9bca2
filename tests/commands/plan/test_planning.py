"""A job's plan from its inputs: the golden plans, as prepare would ask the engine for them."""

from dataclasses import asdict, replace

import pytest

from executor.commands.plan.facts import EngineFacts
from executor.commands.plan.planning import plan_job, wanted_pulls
from executor.engine.container_request import container_request
from executor.errors import PolicyViolation
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.plan.fitting import fitted
from executor.plan.kept_networks import plan_kept
from executor.spec import ContainerSpec, ImageFacts, Plan, Pull, Surroundings, VolumeSpec
from tests.builders import a_service, some_inputs
from tests.plans import CASES, DIND, OTHER, a_plan


def the_facts(name: str) -> EngineFacts:
    """Return what the golden plans rest on: any image with dind in its name is that.

    The architecture's name is the word that the golden plans have in its place.
    """
    images, pulls = wanted_pulls(CASES[name](), "arch")
    default = (images.default_dind,) if images.default_dind else ()
    all_pulls = (*pulls, *default, Pull("docker:29-dind"))
    known = {each.image: DIND if "dind" in each.image else OTHER for each in all_pulls}
    return EngineFacts(Surroundings(separates_ipv6=True), known, architecture="arch")


@pytest.mark.parametrize("name", CASES)
def test_each_golden_plan(name: str) -> None:
    """The containers are those of the plan, created as prepare creates them."""
    inputs, facts = CASES[name](), the_facts(name)
    plan = a_plan(inputs)

    found = plan_job(inputs, facts)

    volumes = {each.name: each for each in plan.volumes}
    expected = {
        spec.name: requested(spec, facts.images[spec.image.replace("{arch}", "arch")], volumes)
        for spec in of(plan)
    }
    asked = {
        key.partition("/")[2]: each
        for key, each in found.requests.items()
        if key.startswith("container/")
    }
    assert asked == expected
    assert set(found.volumes) == set(volumes)
    assert asdict(found.plan.network) == asdict(plan.network)


def of(plan: Plan) -> list[ContainerSpec]:
    return [plan.build, plan.helper, *([plan.dind] if plan.dind else []), *plan.services]


def requested(
    spec: ContainerSpec, image: ImageFacts, volumes: dict[str, VolumeSpec]
) -> dict[str, object]:
    return container_request(fitted(spec, image), image, (1, 41), volumes)


def test_kept_layers() -> None:
    """A sidecar that keeps layers has its slot's volume, unless another job has it."""
    inputs = some_inputs(settings="[dind]\nkeep_layers = true")

    with_layers = plan_job(inputs, EngineFacts())
    without = plan_job(inputs, EngineFacts(layers_are_taken=True))

    kept = set(with_layers.volumes) - set(without.volumes)
    assert len(kept) == 1
    assert "layers" in kept.pop()
    assert with_layers.containers["dind"].mounts != without.containers["dind"].mounts


def test_a_job_that_is_refused() -> None:
    """What prepare would say is raised."""
    inputs = some_inputs(
        settings='[docker]\nallowed_images = ["ruby:*"]', image=a_service("alpine:3")
    )

    with pytest.raises(PolicyViolation):
        plan_job(inputs, EngineFacts())


@pytest.mark.parametrize("is_there", [False, True])
def test_the_network_of_a_slot(*, is_there: bool) -> None:
    """Containers join it, and only one that is missing is made; who has it decides as in prepare."""
    inputs = some_inputs(settings="docker.keep_network = true", values={"CI_CONCURRENT_ID": "0"})
    around = Surroundings()
    spec = plan_kept(inputs, around)
    assert spec
    found = (spec.name, "id", spec.labels[KEPT_NETWORK_LABEL], ("172.29.0.0/27",))
    around = replace(around, kept_networks=(found,) if is_there else ())

    kept = plan_job(inputs, EngineFacts(around))
    own = plan_job(inputs, EngineFacts(around, network_is_taken=True))

    assert {each.network for each in kept.containers.values()} == {spec.name}
    assert {each.network for each in own.containers.values()} == {inputs.names.network}
    networks = [each for each in kept.requests if each.startswith("network/")]
    assert networks == ([] if is_there else [f"network/{spec.name}"])
    assert f"network/{inputs.names.network}" in own.requests
