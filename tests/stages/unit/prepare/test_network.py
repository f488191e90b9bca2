"""The job's network in the making, and what takes it away before it is used."""

import json
from pathlib import Path

import pytest

from executor.errors import EngineRefused, ResourceExhausted
from executor.log import AdministratorLog
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.steps import Steps
from tests.builders import some_inputs
from tests.engine.stub import StubEngine, http, refusal

INPUTS = some_inputs(settings='docker.certs_d = "/nowhere"')
CREATE = "/networks/create"


def some_steps() -> Steps:
    """Return the steps of a prepare call."""
    return Steps(AdministratorLog("prepare"))


@pytest.fixture
def engine(stub: StubEngine) -> StubEngine:
    """Return an engine with one network of somebody else's."""
    others = [{"Name": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}]
    own = {"Name": INPUTS.names.network, "IPAM": {"Config": [{"Subnet": "172.30.0.0/16"}]}}
    stub.on("GET", "/info", http(200, {"ServerVersion": "27.0.0"}))
    stub.on("GET", "/networks$", http(200, others))
    stub.on("GET", f"/networks/{INPUTS.names.network}", http(200, own))
    stub.on("POST", CREATE, http(201, {"Id": "n"}))
    return stub


def test_the_surroundings_have_the_jobs_own_network(engine: StubEngine, tmp_path: Path) -> None:
    """What is around it is looked at first, and its own subnets come last."""
    log = AdministratorLog("prepare")
    log.open(f"file:{tmp_path}/log", 1, 2)

    around = JobNetwork(engine.engine(), INPUTS, Steps(log)).surroundings()

    log.close("success")
    noted = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert noted[:2] == ["surroundings known", "network created"]
    assert around.subnets[0] == "172.17.0.0/16"
    assert around.subnets[-1] == "172.30.0.0/16"
    (made,) = engine.asked("POST", CREATE)
    assert made.json()["Name"] == INPUTS.names.network


def test_a_container_starts_on_it(engine: StubEngine) -> None:
    """What starts the container is called once, and its result returned."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    calls: list[str] = []

    def start() -> str:
        calls.append("start")
        return "started"

    assert network.holding(start) == "started"
    assert calls == ["start"]


def test_a_network_that_was_pruned_is_made_again(engine: StubEngine) -> None:
    """The network is made a second time, and what starts the container is called once more."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    gone = [EngineRefused(f"network {INPUTS.names.network} not found")]

    def start() -> str:
        if gone:
            raise gone.pop()
        return "started"

    assert network.holding(start) == "started"
    first, second = engine.asked("POST", CREATE)
    assert first.json() == second.json()


def test_another_refusal_is_none_of_the_networks(engine: StubEngine) -> None:
    """The error is raised as it is, and no second network is made."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    network.surroundings()

    def start() -> str:
        raise EngineRefused("network another not found")

    with pytest.raises(EngineRefused, match="another"):
        network.holding(start)
    assert len(engine.asked("POST", CREATE)) == 1


def test_a_network_that_cannot_be_made(engine: StubEngine) -> None:
    """Whoever waits for the surroundings gets the engine's reason."""
    message = "all predefined address pools have been fully subnetted"
    engine.on("POST", CREATE, refusal(400, message))

    with pytest.raises(ResourceExhausted, match="subnet"):
        JobNetwork(engine.engine(), INPUTS, some_steps()).surroundings()
