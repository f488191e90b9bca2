"""The containers of a plan, started at a stub."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from executor.errors import EngineRefused
from executor.log import AdministratorLog
from executor.plan.credentials import Catalogue
from executor.spec import ContainerSpec, NetworkSpec, Plan
from executor.stages.prepare.containers import Containers
from executor.stages.prepare.images import Pulls
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.steps import Steps
from executor.tasks import Task
from tests.builders import some_inputs
from tests.engine.stub import StubEngine, events, http, refusal

INPUTS = some_inputs(settings='docker.certs_d = "/nowhere"')


def a_container(name: str) -> ContainerSpec:
    """Return a container that is sent nothing, so that it has started when the engine says so."""
    return ContainerSpec(name, "alpine:latest", {}, "net")


PLAN = Plan(
    NetworkSpec("net", {}),
    (),
    a_container("job-helper"),
    a_container("job-build"),
    a_container("job-dind"),
    (a_container("job-service-0"),),
)


@pytest.fixture
def engine(stub: StubEngine) -> StubEngine:
    """Return an engine that does what it is asked."""
    stub.on("GET", "/info", http(200, {"ServerVersion": "27.0.0"}))
    stub.on("GET", "/networks", http(200, []))
    stub.on("GET", "/networks/", http(200, {"Name": INPUTS.names.network}))
    stub.on("POST", "/networks/create", http(201, {"Id": "n"}))
    stub.on("POST", "/images/create", events({"status": "Digest: sha256:d"}))
    stub.on("GET", "/images/.*/json", http(200, {"Id": "sha256:i", "Config": {}}))
    stub.on("POST", "/containers/create", http(201, {"Id": "c"}))
    stub.on("POST", "/containers/.*/start", http(204))
    stub.on("GET", "/containers/.*/json", http(200, {"State": {"Running": True}}))
    return stub


def start_all(stub: StubEngine, plan: Plan, directory: Path) -> None:
    """Start everything, without waiting for services."""
    steps = Steps(AdministratorLog("prepare"))
    engine = stub.engine()
    pulls = Pulls(engine, Catalogue(), steps.log, lambda _text: None)
    network = JobNetwork(engine, INPUTS, steps)
    volumes: Task[None] = Task(lambda: None)
    Containers(engine, steps, pulls, network, volumes, str(directory)).start_all(plan, -1)


def started(stub: StubEngine) -> list[str]:
    """Return which containers were started, in order."""
    return [each.path.split("/")[-2] for each in stub.asked("POST", "/containers/.*/start")]


def test_every_container_of_the_plan_starts(engine: StubEngine, tmp_path: Path) -> None:
    """Each is created once, from the id of what was pulled, and its image is pulled once."""
    start_all(engine, PLAN, tmp_path)

    names = ["job-build", "job-dind", "job-helper", "job-service-0"]
    assert sorted(started(engine)) == names
    created = engine.asked("POST", "/containers/create")
    assert sorted(unquote(each.path).partition("name=")[2] for each in created) == names
    assert {each.json()["Image"] for each in created} == {"sha256:i"}
    assert len(engine.asked("POST", "/images/create")) == 1


def test_a_service_waits_for_the_helper_that_opens_the_caches(
    engine: StubEngine, tmp_path: Path
) -> None:
    """A service may run as a user who cannot write to a fresh volume before."""
    start_all(engine, replace(PLAN, has_caches=True), tmp_path)

    order = started(engine)
    assert order.index("job-helper") < order.index("job-service-0")


def test_the_first_error_is_raised(engine: StubEngine, tmp_path: Path) -> None:
    """A container that the engine refuses ends prepare with the engine's words."""
    engine.on("POST", "/containers/create.*job-dind", refusal(500, "no such runtime"))

    with pytest.raises(EngineRefused, match="no such runtime"):
        start_all(engine, PLAN, tmp_path)


def test_a_job_without_a_sidecar(engine: StubEngine, tmp_path: Path) -> None:
    """Only the helper and the build container start where the plan has nothing else."""
    start_all(engine, replace(PLAN, dind=None, services=()), tmp_path)

    assert sorted(started(engine)) == ["job-build", "job-helper"]
