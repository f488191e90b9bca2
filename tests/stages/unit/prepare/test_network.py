"""The job's network in the making, and what takes it or its addresses away before it is used."""

import json
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import EngineRefused, ResourceExhausted
from executor.host.network import bridge_of
from executor.log import AdministratorLog
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.steps import Steps
from tests.builders import some_inputs
from tests.engine.stub import StubEngine, http, refusal

INPUTS = some_inputs(settings='docker.certs_d = "/nowhere"')
POOL = ("10.8.0.0/27", "10.8.0.32/27", "10.8.0.64/27")
POOLED = some_inputs(
    settings='docker.certs_d = "/nowhere"\ndocker.network_pool = ["10.8.0.0/26", "10.8.0.64/27"]'
)
CREATE = "/networks/create"
TAKEN = refusal(403, "Pool overlaps with other one on this address space")
ID = "0123456789ab" + "c" * 52
PLACES = "executor.host.network"


def some_steps() -> Steps:
    """Return the steps of a prepare call."""
    return Steps(AdministratorLog("prepare"))


@pytest.fixture
def engine(stub: StubEngine) -> StubEngine:
    """Return an engine on another host, with one network of somebody else's."""
    others = [{"Name": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}]
    own = {"Name": INPUTS.names.network, "IPAM": {"Config": [{"Subnet": "172.30.0.0/16"}]}}
    stub.on("GET", "/info", http(200, {"ServerVersion": "27.0.0"}))
    stub.on("GET", "/networks$", http(200, others))
    stub.on("GET", "/networks/n", http(200, own))
    stub.on("POST", CREATE, http(201, {"Id": "n"}))
    return stub


def asked_for(engine: StubEngine) -> list[str]:
    """Return the subnets that networks were asked for with."""
    found = []
    for each in engine.asked("POST", CREATE):
        ipam = each.json().get("IPAM")
        assert isinstance(ipam, dict)
        found.append(ipam["Config"][0]["Subnet"])
    return found


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


def test_addresses_that_turn_out_to_be_taken(engine: StubEngine) -> None:
    """The next ones are tried; nothing else is asked for than the list once more."""
    engine.on("POST", CREATE, TAKEN, TAKEN, http(201, {"Id": "n"}))

    around = JobNetwork(engine.engine(), POOLED, some_steps()).surroundings()

    assert sorted(asked_for(engine)) == list(POOL)
    assert around.own_subnets == (asked_for(engine)[-1],)
    assert len(engine.asked("GET", "/networks$")) == 3
    assert engine.asked("GET", "/networks/n") == []


def test_all_addresses_are_taken(engine: StubEngine) -> None:
    """Each is tried once, and the sentence names the pool."""
    engine.on("POST", CREATE, TAKEN)

    with pytest.raises(ResourceExhausted, match=r"`\[docker\] network_pool` \(10.8.0.0/26, 10"):
        JobNetwork(engine.engine(), POOLED, some_steps()).surroundings()

    assert sorted(asked_for(engine)) == list(POOL)


def test_addresses_that_another_engine_of_the_host_has(
    engine: StubEngine, mocker: MockerFixture
) -> None:
    """The network goes again, and the next one takes other addresses."""
    mocker.patch("executor.host.network.shares_network", return_value=True)
    other = bridge_of("ff" * 32)
    first = POOL[:2]

    def routes() -> tuple[tuple[str, str], ...]:
        made = asked_for(engine)
        own = [(each, bridge_of(ID)) for each in made[-1:]]
        # The other engine's appear while the job makes its own.
        return (*own, *((each, other) for each in first if each in made))

    mocker.patch("executor.host.network.host_routes", side_effect=routes)
    mocker.patch("executor.stages.prepare.network.host_bridges", side_effect=routes)
    engine.on("POST", CREATE, http(201, {"Id": ID}))
    engine.on("DELETE", "/networks/", http(204))

    around = JobNetwork(engine.engine(), POOLED, some_steps()).surroundings()

    assert around.own_subnets == (POOL[2],)
    assert around.in_reach
    tried = asked_for(engine)
    assert tried[-1] == POOL[2]
    assert len(engine.asked("DELETE", f"/networks/{ID}")) == len(tried) - 1


def test_an_engine_whose_bridges_are_elsewhere(engine: StubEngine, mocker: MockerFixture) -> None:
    """A rootless engine has its own docker0, whose address another one's has here."""
    mocker.patch("executor.host.network.shares_network", return_value=True)
    others = (("172.17.0.0/16", "docker0"), (POOL[0], bridge_of("ff" * 32)))
    mocker.patch("executor.host.network.host_routes", return_value=others)
    mocker.patch("executor.stages.prepare.network.host_bridges", return_value=others)
    engine.on("POST", CREATE, http(201, {"Id": ID}))

    around = JobNetwork(engine.engine(), POOLED, some_steps()).surroundings()

    assert not around.in_reach


def test_a_container_starts_on_it(engine: StubEngine) -> None:
    """What starts the container is called once, and its result returned."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    calls: list[str] = []

    def start() -> str:
        calls.append("start")
        return "started"

    assert network.holding(start) == "started"
    assert calls == ["start"]


@pytest.mark.parametrize("each", [INPUTS.names.network, "n"])
def test_a_network_that_was_pruned_is_made_again(engine: StubEngine, each: str) -> None:
    """The network is made a second time, and what starts the container is called once more."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    network.surroundings()
    gone = [EngineRefused(f"network {each} not found")]

    def start() -> str:
        if gone:
            raise gone.pop()
        return "started"

    assert network.holding(start) == "started"
    first, second = (each.json() for each in engine.asked("POST", CREATE))
    # The addresses that the engine chose stand in the sidecar's certificate.
    assert second.pop("IPAM") == {"Config": [{"Subnet": "172.30.0.0/16"}]}
    assert first == second


def test_several_networks_of_its_name(engine: StubEngine) -> None:
    """Those of an attempt before go, and what starts the container is called once more."""
    pairs = (("n", "172.30.0.0/16"), ("m", "172.31.0.0/16"))
    listed = [
        {"Name": INPUTS.names.network, "Id": id_, "IPAM": {"Config": [{"Subnet": subnet}]}}
        for id_, subnet in pairs
    ]
    engine.on("GET", "/networks\\?filters", http(200, listed))
    engine.on("DELETE", "/networks/", http(204))
    network = JobNetwork(engine.engine(), INPUTS, some_steps())
    network.surroundings()
    engine.on("POST", CREATE, refusal(409, "already exists"))
    said = f"network {INPUTS.names.network} is ambiguous (2 matches found on name)"
    ambiguous = [EngineRefused(said)]

    def start() -> str:
        if ambiguous:
            raise ambiguous.pop()
        return "started"

    assert network.holding(start) == "started"
    (gone,) = engine.asked("DELETE", "/networks/")
    assert gone.path.endswith("/networks/m")


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
