"""Which network a slot keeps, and whether the one that is there will do."""

from dataclasses import replace

import pytest

from executor.names import LABEL
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.plan.inputs import Inputs
from executor.plan.kept_networks import KeptNetwork, found_for, kept_name, plan_kept, will_do
from executor.plan.network import plan_network
from executor.spec import Surroundings
from tests.builders import a_service, a_variable, some_inputs

KEEP = "docker.keep_network = true"
SLOT = {"CI_CONCURRENT_ID": "3"}
HERE = Surroundings(in_reach=True, separates_ipv6=True)
SUBNET = "172.29.0.32/27"


def keeping(*settings: str, **changes: object) -> Inputs:
    """Return a job of a runner that keeps networks."""
    text = "\n".join((KEEP, *settings))
    return some_inputs(settings=text, **{"values": SLOT, **changes})  # type: ignore[arg-type]


def found(inputs: Inputs, *subnets: str, made_with: str = "") -> KeptNetwork:
    """Return the network of a job's slot, made as this job would make it unless told otherwise."""
    spec = plan_kept(inputs, HERE)
    assert spec
    return KeptNetwork(spec.name, "id", made_with or spec.labels[KEPT_NETWORK_LABEL], subnets)


def does(inputs: Inputs, network: KeptNetwork, around: Surroundings = HERE) -> bool:
    """Tell whether a network will do for a job."""
    spec = plan_kept(inputs, around)
    assert spec
    return will_do(network, spec, inputs, around)


def test_it_is_the_slots_and_no_jobs() -> None:
    """Jobs of any project in a slot have one name, and others another; it has no job's label."""
    inputs = keeping("docker.network_mtu = 1400")
    spec = plan_kept(inputs, HERE)

    assert spec
    assert LABEL not in spec.labels
    assert spec.labels["com.gitlab.gitlab-runner.managed"] == "true"
    assert spec.mtu == plan_network(inputs, HERE).mtu == 1400
    assert spec.name.startswith("runner-t3stt0ken-concurrent-3-")
    project = {"name": "build", "stage": "build", "project_id": 43}
    assert kept_name(keeping(job_info=project)) == spec.name
    assert kept_name(keeping(values={"CI_CONCURRENT_ID": "4"})) != spec.name
    assert kept_name(keeping(variables=[a_variable("CI_RUNNER_ID", "7")])) != spec.name


@pytest.mark.parametrize(
    "inputs",
    [
        some_inputs(values=SLOT),
        keeping(values={}),
        keeping(variables=[a_variable("CI_CONCURRENT_ID", "3")]),
        keeping(variables=[a_variable("CI_RUNNER_SHORT_TOKEN", "t3stt0ken")]),
    ],
    ids=["not asked for", "an unknown slot", "the job's word for the slot", "and for the runner"],
)
def test_a_job_whose_slot_keeps_none(inputs: Inputs) -> None:
    """The settings decide, and a job that hides its slot gets no other one's."""
    assert (kept_name(inputs), plan_kept(inputs, HERE)) == ("", None)
    assert found_for(inputs, HERE) is None


def test_it_has_ipv6_addresses_of_its_own() -> None:
    """They follow from the slot, as those of a job do from the job."""
    inputs = keeping("docker.enable_ipv6 = true")
    spec = plan_kept(inputs, HERE)

    assert spec
    other = plan_network(inputs, HERE).ipv6_subnet
    assert spec.ipv6_subnet not in ("", other)
    assert does(inputs, found(inputs, SUBNET, spec.ipv6_subnet))
    assert not does(keeping(), found(inputs, SUBNET, spec.ipv6_subnet))


def test_one_that_was_made_for_other_settings() -> None:
    """Another MTU, and none that is known, are no network for the job."""
    inputs = keeping()
    assert does(inputs, found(inputs, SUBNET))
    assert not does(keeping("docker.network_mtu = 1400"), found(inputs, SUBNET))
    assert not does(inputs, found(inputs, SUBNET, made_with="something"))
    assert not does(inputs, found(inputs))


def test_one_that_is_too_small() -> None:
    """A job with many services needs more addresses."""
    many = keeping(services=[a_service(f"s{each}") for each in range(21)])
    assert not does(many, found(many, SUBNET))
    assert does(many, found(many, "172.29.0.64/26"))


def test_one_outside_of_the_pool() -> None:
    """The settings' pool counts as it is now, and the engine's own where that is seen."""
    pooled = keeping('docker.network_pool = ["10.8.0.0/24"]')
    assert does(pooled, found(pooled, "10.8.0.32/27"))
    assert not does(pooled, found(pooled, SUBNET))
    inputs = keeping()
    pools = replace(HERE, engine_pools=("10.9.0.0/16",))
    assert not does(inputs, found(inputs, SUBNET), pools)
    assert does(inputs, found(inputs, SUBNET), replace(pools, in_reach=False))


@pytest.mark.parametrize(
    ("settings", "around", "wanted"),
    [
        ("", replace(HERE, subnets=("10.0.0.0/8", SUBNET, "fe80::/64")), True),
        ("", replace(HERE, subnets=("172.29.0.0/16",)), False),
        ("", replace(HERE, mirrors=("http://172.29.0.40:5000",)), False),
        ('docker.dns = ["172.29.0.33"]', HERE, False),
    ],
    ids=["its own route", "a new route", "a mirror", "a name server"],
)
def test_one_with_addresses_that_the_job_has_to_reach(
    settings: str, around: Surroundings, *, wanted: bool
) -> None:
    """What has come since the network was made counts, and its own route does not."""
    inputs = keeping(settings)
    assert does(inputs, found(inputs, SUBNET), around) is wanted


def test_what_is_found() -> None:
    """One of the name that will do; of several, which Docker 20.10 may have, none."""
    inputs = keeping()
    one = found(inputs, SUBNET)
    other = one._replace(name="another")
    assert found_for(inputs, replace(HERE, kept_networks=(other, one))) == one
    assert found_for(inputs, replace(HERE, kept_networks=(one, one._replace(id="b")))) is None
    assert found_for(inputs, replace(HERE, kept_networks=(other,))) is None
