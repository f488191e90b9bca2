"""The job's network in the making, and what takes it or its addresses away before it is used."""

import json
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.budgets.claims import of_network
from executor.errors import EngineRefused, ResourceExhausted
from executor.host.network import bridge_of
from executor.log import AdministratorLog
from executor.notation.claims import CLAIM_LABEL, KEPT_NETWORK_LABEL
from executor.plan.kept_networks import kept_name, plan_kept
from executor.runner import notes
from executor.spec import Surroundings
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


def nobody() -> str:
    """Return who has the network of the slot."""
    return ""


def some_steps() -> Steps:
    """Return the steps of a prepare call."""
    return Steps(AdministratorLog("prepare"))


@pytest.fixture
def engine(stub: StubEngine, mocker: MockerFixture) -> StubEngine:
    """Return an engine on another host, with one network of somebody else's; this one has no routes."""
    for each in ("host_routes", "policy_routes", "host_resolvers"):
        mocker.patch(f"{PLACES}.{each}", return_value=())
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

    around = JobNetwork(engine.engine(), INPUTS, Steps(log), nobody).surroundings()

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

    around = JobNetwork(engine.engine(), POOLED, some_steps(), nobody).surroundings()

    assert sorted(asked_for(engine)) == list(POOL)
    assert around.own_subnets == (asked_for(engine)[-1],)
    assert len(engine.asked("GET", "/networks$")) == 3
    assert engine.asked("GET", "/networks/n") == []


def test_all_addresses_are_taken(engine: StubEngine) -> None:
    """Each is tried once, and the sentence names the pool."""
    engine.on("POST", CREATE, TAKEN)

    with pytest.raises(ResourceExhausted, match=r"`\[docker\] network_pool` \(10.8.0.0/26, 10"):
        JobNetwork(engine.engine(), POOLED, some_steps(), nobody).surroundings()

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

    around = JobNetwork(engine.engine(), POOLED, some_steps(), nobody).surroundings()

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

    around = JobNetwork(engine.engine(), POOLED, some_steps(), nobody).surroundings()

    assert not around.in_reach


def test_a_container_starts_on_it(engine: StubEngine) -> None:
    """What starts the container is called once, and its result returned."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps(), nobody)
    calls: list[str] = []

    def start() -> str:
        calls.append("start")
        return "started"

    assert network.holding(start) == "started"
    assert calls == ["start"]


@pytest.mark.parametrize("each", [INPUTS.names.network, "n"])
def test_a_network_that_was_pruned_is_made_again(engine: StubEngine, each: str) -> None:
    """The network is made a second time, and what starts the container is called once more."""
    network = JobNetwork(engine.engine(), INPUTS, some_steps(), nobody)
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
    network = JobNetwork(engine.engine(), INPUTS, some_steps(), nobody)
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
    network = JobNetwork(engine.engine(), INPUTS, some_steps(), nobody)
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
        JobNetwork(engine.engine(), INPUTS, some_steps(), nobody).surroundings()


# --- the network that the slot keeps ---------------------------------------------------------------

KEEPING = some_inputs(
    settings='docker.certs_d = "/nowhere"\ndocker.keep_network = true',
    values={"CI_CONCURRENT_ID": "3"},
)
SUBNET = "172.30.0.0/27"


def a_kept_network(identity: str = ID, **changes: object) -> dict[str, object]:
    """Return the network of the slot as an engine lists it."""
    spec = plan_kept(KEEPING, Surroundings())
    assert spec
    ipam = {"Config": [{"Subnet": SUBNET}]}
    return {"Name": spec.name, "Id": identity, "Labels": spec.labels, "IPAM": ipam, **changes}


def have(engine: StubEngine, *networks: dict[str, object]) -> None:
    """Have the engine list networks."""
    engine.on("GET", "/networks$", http(200, list(networks)))
    for each in networks:
        engine.on("GET", f"/networks/{each['Id']}", http(200, each))
    engine.on("DELETE", "/networks/", http(204))


def network_of(engine: StubEngine, taken_by: str = "") -> JobNetwork:
    """Return the network of a job, once it is there."""
    network = JobNetwork(engine.engine(), KEEPING, some_steps(), lambda: taken_by)
    network.surroundings()
    return network


def names_made(engine: StubEngine) -> list[object]:
    """Return the names of the networks that were made."""
    return [each.json()["Name"] for each in engine.asked("POST", CREATE)]


def test_the_slots_network_is_there(engine: StubEngine, tmp_path: Path) -> None:
    """It is taken, nothing is made, and a note says which it is."""
    have(engine, a_kept_network())

    network = network_of(engine)

    assert network.kept
    assert network.kept.name == kept_name(KEEPING)
    assert network.surroundings().own_subnets == (SUBNET,)
    assert names_made(engine) == []
    network.leave_note(str(tmp_path))
    assert notes.read(str(tmp_path), notes.NETWORK) == ID.encode()


def test_the_slot_has_none_yet(engine: StubEngine, tmp_path: Path) -> None:
    """The job makes it, without its own label."""
    engine.on("GET", "/networks/n", http(200, a_kept_network("n")))

    network = network_of(engine)

    assert network.kept
    (made,) = engine.asked("POST", CREATE)
    assert made.json()["Labels"] == network.kept.labels
    assert made.json()["Name"] == kept_name(KEEPING)
    network.leave_note(str(tmp_path))
    assert notes.read(str(tmp_path), notes.NETWORK) == b"n"


def test_another_job_has_the_slots(engine: StubEngine, tmp_path: Path) -> None:
    """The job makes its own, and leaves no note."""
    have(engine, a_kept_network())

    network = network_of(engine, taken_by="another")

    assert network.kept is None
    assert names_made(engine) == [KEEPING.names.network]
    network.leave_note(str(tmp_path))
    assert not notes.is_left(str(tmp_path), notes.NETWORK)
    assert engine.asked("DELETE", "/networks/") == []


@pytest.mark.parametrize("answer", [{"Containers": {"c": {}}}, {"Id": "another"}, None])
def test_something_is_on_it(engine: StubEngine, answer: dict[str, object] | None) -> None:
    """Or it has gone since: the job makes its own, and touches nothing."""
    have(engine, a_kept_network())
    said = (
        refusal(404, "no such network") if answer is None else http(200, a_kept_network() | answer)
    )
    engine.on("GET", f"/networks/{ID}", said)

    assert network_of(engine).kept is None
    assert names_made(engine) == [KEEPING.names.network]
    assert engine.asked("DELETE", "/networks/") == []


@pytest.mark.parametrize("several", [False, True])
def test_one_that_will_not_do(engine: StubEngine, *, several: bool) -> None:
    """It is removed and made again; so are several of one name."""
    labels = {KEPT_NETWORK_LABEL: "something else"}
    wrong = (
        [a_kept_network(), a_kept_network("b" * 64)] if several else [a_kept_network(Labels=labels)]
    )
    have(engine, *wrong)
    engine.on("GET", "/networks/n$", http(200, a_kept_network("n")))

    assert network_of(engine).kept
    assert names_made(engine) == [kept_name(KEEPING)]
    assert len(engine.asked("DELETE", "/networks/")) == len(wrong)


def test_something_is_on_it_once_it_is_made(engine: StubEngine) -> None:
    """Another job has made it since the look, or somebody has put a container there."""
    engine.on("GET", "/networks/n$", http(200, a_kept_network("n", Containers={"c": {}})))

    assert network_of(engine).kept is None
    assert names_made(engine) == [kept_name(KEEPING), KEEPING.names.network]


def test_one_that_will_not_do_and_stays(engine: StubEngine) -> None:
    """The job makes its own."""
    have(engine, a_kept_network(Labels={KEPT_NETWORK_LABEL: "something else"}))
    engine.on("DELETE", "/networks/", refusal(403, "has active endpoints"))

    assert network_of(engine).kept is None
    assert names_made(engine) == [KEEPING.names.network]


def test_the_engine_refuses_the_slots(engine: StubEngine) -> None:
    """Somebody else's network has its name: the job makes its own."""
    taken = refusal(409, f"network with name {kept_name(KEEPING)} already exists")
    engine.on("POST", CREATE, taken, http(201, {"Id": "n"}))
    engine.on("GET", "/networks\\?filters", http(200, []))

    assert network_of(engine).kept is None
    assert names_made(engine) == [kept_name(KEEPING), KEEPING.names.network]


def test_the_slots_network_cannot_be_claimed(engine: StubEngine) -> None:
    """The job makes its own, and does not fail for that."""
    have(engine, a_kept_network())

    def taken_by() -> str:
        raise EngineRefused("volume name is in use by another driver")

    network = JobNetwork(engine.engine(), KEEPING, some_steps(), taken_by)
    network.surroundings()

    assert network.kept is None
    assert names_made(engine) == [KEEPING.names.network]


def test_the_slots_network_is_pruned_before_it_is_used(engine: StubEngine) -> None:
    """It is made again with the same addresses, and the start is tried once more."""
    have(engine, a_kept_network())
    network = network_of(engine)
    gone = [EngineRefused(f"network {ID} not found")]

    def start() -> str:
        if gone:
            raise gone.pop()
        return "started"

    assert network.holding(start) == "started"
    (made,) = engine.asked("POST", CREATE)
    assert made.json()["Name"] == kept_name(KEEPING)
    assert made.json()["IPAM"] == {"Config": [{"Subnet": SUBNET}]}


def test_no_addresses_are_left_but_those_of_idle_slots(engine: StubEngine) -> None:
    """Networks that no job has claimed go, and the job makes its own."""
    have(engine, a_kept_network())
    full = refusal(400, "all predefined address pools have been fully subnetted")
    engine.on("POST", CREATE, full, http(201, {"Id": "n"}))
    engine.on("GET", "/volumes", http(200, {"Volumes": []}))

    JobNetwork(engine.engine(), INPUTS, some_steps(), nobody).surroundings()

    (gone,) = engine.asked("DELETE", "/networks/")
    assert gone.path.endswith(ID)
    assert names_made(engine) == [INPUTS.names.network] * 2


def test_no_addresses_are_left_at_all(engine: StubEngine) -> None:
    """Where another job has claimed the kept network, the engine's reason counts."""
    have(engine, a_kept_network())
    full = refusal(400, "all predefined address pools have been fully subnetted")
    engine.on("POST", CREATE, full)
    claim = {"Name": "claim", "Labels": {CLAIM_LABEL: of_network(kept_name(KEEPING))}}
    engine.on("GET", "/volumes", http(200, {"Volumes": [claim]}))

    with pytest.raises(ResourceExhausted, match="subnet"):
        JobNetwork(engine.engine(), INPUTS, some_steps(), nobody).surroundings()
    assert engine.asked("DELETE", "/networks/") == []
