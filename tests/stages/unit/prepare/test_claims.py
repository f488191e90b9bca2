"""What a job claims before it uses anything that is kept."""

import pytest

from executor.budgets.claims import of_image, of_network, of_volume
from executor.log import AdministratorLog
from executor.names import LABEL, OWNER_LABEL
from executor.notation.claims import CLAIM_LABEL, USES_LABEL
from executor.notation.owner import owner_text
from executor.plan.images import for_engine, plan_images
from executor.plan.inputs import Inputs
from executor.plan.kept_networks import kept_name
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.steps import Steps
from tests.builders import BELONGING, fetching, some_inputs
from tests.engine.stub import StubEngine, http
from tests.sweep.left import belonging, dead_owner, living, owner_of

CACHE = '[docker]\nvolumes = ["/cache"]\n'


@pytest.fixture(autouse=True)
def nothing_elsewhere(stub: StubEngine) -> None:
    stub.on("POST", "/volumes/create", http(201, {}))
    stub.on("GET", "/volumes/", http(404, {"message": "no such volume"}))


def claims_of(stub: StubEngine, inputs: Inputs) -> Claims:
    """Return claims that are made."""
    images = for_engine(plan_images(inputs), "amd64")
    claims = Claims(stub.engine(), inputs, images, Steps(AdministratorLog("prepare")))
    claims.left()
    claims.builds_taken_by()
    return claims


def made(stub: StubEngine) -> dict[str, dict[str, str]]:
    """Return the labels of the volumes that were asked for, by their names."""
    asked = [each.json() for each in stub.asked("POST", "/volumes/create")]
    return {str(each["Name"]): dict(each["Labels"]) for each in asked}  # type: ignore[call-overload]


def test_everybody_sees_what_a_job_uses(stub: StubEngine) -> None:
    """Its images and caches stand on the volume of its sidecar, which it makes anyway."""
    inputs = some_inputs(settings=CACHE, values={"GIT_STRATEGY": "clone"})
    (cache,) = (each.name for each in inputs.volumes.specs if LABEL not in each.labels)

    claims_of(stub, inputs)

    ((name, labels),) = made(stub).items()
    assert name == inputs.names.docker_volume
    assert labels[LABEL] == BELONGING.key
    wanted = {of_image("docker:20.10.16"), of_image("docker:29-dind"), of_volume(cache)}
    found = set(labels[USES_LABEL].split(","))
    assert wanted < found
    assert len(found) == 4  # the helper image too


def test_a_job_without_a_sidecar_has_a_volume_for_that(stub: StubEngine) -> None:
    """It goes with the job's other volumes."""
    inputs = some_inputs(settings='[dind]\nmode = "service"\n', values={"GIT_STRATEGY": "clone"})

    claims_of(stub, inputs)

    assert list(made(stub)) == [f"{inputs.names.network}-uses"]


def test_sources_that_last_are_claimed_alone(stub: StubEngine) -> None:
    """The claim has the labels by which cleanup and the sweep find the job's own."""
    inputs = fetching()

    assert claims_of(stub, inputs).builds_taken_by() == ""

    (labels,) = (each for each in made(stub).values() if CLAIM_LABEL in each)
    assert labels[CLAIM_LABEL] == of_volume(inputs.volumes.builds.source)
    assert labels[OWNER_LABEL] == owner_text(BELONGING.owner)


def test_directories_of_the_host_are_claimed_too(stub: StubEngine) -> None:
    """They belong to one job at a time as volumes do."""
    inputs = fetching('[docker]\ncache_dir = "/srv/caches"\n')

    claims_of(stub, inputs)

    (labels,) = (each for each in made(stub).values() if CLAIM_LABEL in each)
    assert inputs.volumes.builds.source.startswith("/srv/caches/")
    assert labels[CLAIM_LABEL] == of_volume(inputs.volumes.builds.source)


def test_whoever_lives_keeps_the_claim(stub: StubEngine) -> None:
    """Its process is there, with the same start time."""
    inputs = fetching()
    with living() as process:
        owner = owner_of(process.pid)
        said = belonging(owner, "17-alive")
        stub.on("POST", "/volumes/create", http(201, {"Labels": said.labels()}))
        assert claims_of(stub, inputs).builds_taken_by() == "17-alive"


def test_whoever_is_proved_dead_holds_nobody_up(stub: StubEngine) -> None:
    """The next job has the second place."""
    inputs = fetching()
    said = belonging(dead_owner(), "17-dead")
    stub.on("POST", "/volumes/create", http(201, {"Labels": said.labels()}))
    claims = claims_of(stub, inputs)
    assert claims.builds_taken_by() == "17-dead"  # it has both places

    stub.on("POST", "/volumes/create", http(201, {"Labels": said.labels()}), http(201, {}))
    assert claims._claim(inputs.volumes.builds.source) == ""


def test_a_holder_of_whom_nothing_is_known_keeps_it(stub: StubEngine) -> None:
    """Labels that name no owner prove no death."""
    stub.on("POST", "/volumes/create", http(201, {"Labels": {LABEL: "17-x"}}))

    assert claims_of(stub, fetching()).builds_taken_by() == "17-x"


@pytest.mark.parametrize("claimant", ["living", "dead"])
def test_another_job_has_the_slots_network(stub: StubEngine, claimant: str) -> None:
    """A claim counts until it is removed: what a dead job has begun may still come to be on it."""
    inputs = some_inputs(settings="docker.keep_network = true", values={"CI_CONCURRENT_ID": "0"})
    with living() as process:
        owner = owner_of(process.pid) if claimant == "living" else dead_owner()
        labels = belonging(owner).labels()
        stub.on("POST", "/volumes/create", http(201, {"Labels": labels}))

        assert claims_of(stub, inputs).network_taken_by() == labels[LABEL]

    assert any(
        each.get(CLAIM_LABEL) == of_network(kept_name(inputs)) for each in made(stub).values()
    )


def test_a_job_that_keeps_no_network_claims_none(stub: StubEngine) -> None:
    """Nothing is asked for, and nobody has it."""
    claims = claims_of(stub, some_inputs(values={"CI_CONCURRENT_ID": "0"}))

    assert claims.network_taken_by() == ""
    assert all(CLAIM_LABEL not in each for each in made(stub).values())
