"""The job's network at a stub, and what is read from an engine's answers."""

import pytest

from executor.engine.networks import ensure_network, survey
from executor.errors import EngineRefused, ResourceExhausted
from executor.names import LABEL
from executor.spec import NetworkSpec, Surroundings
from tests.engine.stub import StubEngine, http, refusal

SPEC = NetworkSpec("job", {"a": "b"}, 1400, "fd12:3456:789a::/64")


def a_network(name: str, *subnets: str, **changes: object) -> dict[str, object]:
    """Return a network as an engine lists it."""
    return {"Name": name, "IPAM": {"Config": [{"Subnet": each} for each in subnets]}, **changes}


def test_what_a_network_is_asked_for(stub: StubEngine) -> None:
    """MTU and IPv6 are asked for in the engine's terms, and the label is there from the first moment."""
    stub.on("POST", "/networks/create", http(201, {"Id": "new"}))
    stub.on("GET", "/networks/job", http(200, a_network("job", "172.20.0.0/16", "fd12::/64")))

    assert ensure_network(stub.api(), SPEC) == ("172.20.0.0/16", "fd12::/64")

    (asked,) = stub.asked("POST", "/networks/create")
    assert asked.json() == {
        "Name": "job",
        "CheckDuplicate": True,
        "Driver": "bridge",
        "EnableIPv6": True,
        "IPAM": {"Config": [{"Subnet": "fd12:3456:789a::/64"}]},
        "Labels": {"a": "b"},
        "Options": {"com.docker.network.driver.mtu": "1400"},
    }


def test_a_network_on_default_settings(stub: StubEngine) -> None:
    """The engine chooses MTU and addresses."""
    stub.on("POST", "/networks/create", http(201, {"Id": "new"}))

    assert ensure_network(stub.api(), NetworkSpec("job", {})) == ()

    (asked,) = stub.asked("POST", "/networks/create")
    found = asked.json()
    assert (found["Options"], found["EnableIPv6"], "IPAM" in found) == ({}, False, False)


def test_a_network_that_is_there_is_kept(stub: StubEngine) -> None:
    """A second prepare attempt finds what the first one made."""
    stub.on("POST", "/networks/create", refusal(409, "network with name job already exists"))
    stub.on("GET", "/networks/job", http(200, a_network("job", "172.20.0.0/16")))

    assert ensure_network(stub.api(), SPEC) == ("172.20.0.0/16",)


def test_no_subnet_is_left(stub: StubEngine) -> None:
    """The administrator is told what to do."""
    message = "could not find an available, non-overlapping IPv4 address pool"
    stub.on("POST", "/networks/create", refusal(500, message))

    with pytest.raises(ResourceExhausted, match="default-address-pools"):
        ensure_network(stub.api(), SPEC)


def test_a_network_that_cannot_be_made(stub: StubEngine) -> None:
    """The error has the engine's own words."""
    stub.on("POST", "/networks/create", refusal(500, "iptables failed"))

    with pytest.raises(EngineRefused, match="The network job could not be created: iptables fail"):
        ensure_network(stub.api(), SPEC)


def test_what_is_around_a_job(stub: StubEngine) -> None:
    """Networks of other jobs do not count, and neither does what only the host can reach."""
    bridge = a_network("bridge", "172.17.0.0/16")
    bridge["Options"] = {"com.docker.network.driver.mtu": "1450"}
    other = a_network("other-job", "172.18.0.0/16", Labels={LABEL: "1-2"})
    listed = [bridge, other, a_network("host"), a_network("tools", "172.19.0.0/16", Labels=None)]
    stub.on("GET", "/networks", http(200, listed))
    indexes = {
        "docker.io": {"Secure": True, "Official": True},
        "registry.local:5000": {"Secure": False},
        "localhost:5000": {"Secure": False},
    }
    config = {
        "Mirrors": ["https://mirror.example.com/", "http://127.0.0.1:5000/"],
        "InsecureRegistryCIDRs": ["127.0.0.0/8", "::1/128", "10.0.0.0/8"],
        "IndexConfigs": indexes,
    }
    stub.on("GET", "/info", http(200, {"RegistryConfig": config}))

    assert survey(stub.api()) == Surroundings(
        mtu=1450,
        subnets=("172.17.0.0/16", "172.19.0.0/16"),
        mirrors=("https://mirror.example.com/",),
        insecure_registries=("10.0.0.0/8", "registry.local:5000"),
    )


@pytest.mark.parametrize(
    ("networks", "info"),
    [
        (refusal(500, "no"), refusal(500, "no")),
        (http(200, []), http(200, {})),
        (http(200, None), http(200, {"RegistryConfig": None})),
        (http(200, ["?", {"IPAM": None}]), http(200, {"RegistryConfig": {"IndexConfigs": None}})),
    ],
)
def test_an_engine_that_tells_nothing(stub: StubEngine, networks: bytes, info: bytes) -> None:
    """A job does without, as it did before anybody asked."""
    stub.on("GET", "/networks", networks)
    stub.on("GET", "/info", info)

    assert survey(stub.api()) == Surroundings()


def test_which_addresses_are_the_hosts_own(stub: StubEngine) -> None:
    """The gateways of all bridges count, also of jobs; one that is left out is the first address."""
    configs: list[list[dict[str, str]]] = [
        [{"Subnet": "172.17.0.0/16"}],
        [{"Subnet": "172.18.0.0/24", "Gateway": "172.18.0.9"}, {"Subnet": "fd00::/64"}],
        [{"Gateway": "172.19.0.1/16"}, {"Subnet": "fd01::/64", "Gateway": "fd01::1"}],
        [{"Subnet": "no network"}],
    ]
    listed: list[dict[str, object]] = [
        {"Name": "n", "Driver": "bridge", "IPAM": {"Config": each}} for each in configs
    ]
    listed[1]["Labels"] = {LABEL: "1-2"}
    overlay = {"Driver": "overlay", "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}]}}
    stub.on("GET", "/networks", http(200, [*listed, overlay]))
    stub.on("GET", "/info", http(200, {"Name": "host-1"}))

    found = survey(stub.api())

    assert found.gateways == ("172.17.0.1", "172.18.0.9", "172.19.0.1")
    assert found.engine_name == "host-1"


@pytest.mark.parametrize(
    ("info", "separates"),
    [
        ({"ServerVersion": "20.10.24+dfsg1", "ExperimentalBuild": False}, False),
        ({"ServerVersion": "26.1.3"}, False),
        ({"ServerVersion": "26.1.3", "ExperimentalBuild": True}, True),
        ({"ServerVersion": "27.0.1-rc.1"}, True),
        ({"ServerVersion": "dev"}, False),
    ],
)
def test_whether_ipv6_keeps_jobs_apart(
    stub: StubEngine, info: dict[str, object], *, separates: bool
) -> None:
    """An engine before 27 has its rules for IPv6 only among what is experimental."""
    stub.on("GET", "/networks", http(200, []))
    stub.on("GET", "/info", http(200, info))

    assert survey(stub.api()).separates_ipv6 is separates
