"""The job's network at a stub, and what is read from an engine's answers."""

from dataclasses import replace

import pytest

from executor.engine.networks import Made, SubnetTaken, ensure_network, survey
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
    stub.on("GET", "/networks/new", http(200, a_network("job", "172.20.0.0/16", "fd12::/64")))

    assert ensure_network(stub.api(), SPEC, {}) == Made("new", ("172.20.0.0/16", "fd12::/64"))

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

    assert ensure_network(stub.api(), NetworkSpec("job", {}), {}) == Made("new", ())

    (asked,) = stub.asked("POST", "/networks/create")
    found = asked.json()
    assert (found["Options"], found["EnableIPv6"], "IPAM" in found) == ({}, False, False)


def test_a_network_that_is_there_is_kept(stub: StubEngine) -> None:
    """A second prepare attempt finds what the first one made, the oldest where there are several."""
    stub.on("POST", "/networks/create", refusal(409, "network with name job already exists"))
    listed = [
        a_network("job-2", "172.21.0.0/27", Id="a", Created="1"),
        a_network("job", "172.22.0.0/27", Id="b", Created="3"),
        a_network("job", "172.23.0.0/27", Id="c", Created="2"),
    ]
    stub.on("GET", "/networks\\?filters", http(200, listed))
    stub.on("DELETE", "/networks/", http(204))

    assert ensure_network(stub.api(), SPEC, {}) == Made("c", ("172.23.0.0/27",))


def test_a_network_that_was_there(stub: StubEngine) -> None:
    """One that is gone before it is looked at is a refusal, which prepare tries again."""
    stub.on("POST", "/networks/create", refusal(409, "network with name job already exists"))
    stub.on("GET", "/networks\\?filters", http(200, []))

    with pytest.raises(EngineRefused, match="already exists"):
        ensure_network(stub.api(), SPEC, {})


def test_a_network_with_addresses_of_ours(stub: StubEngine) -> None:
    """The engine is asked for them beside those of IPv6, and not what it has made."""
    stub.on("POST", "/networks/create", http(201, {"Id": "new"}))
    spec = replace(SPEC, subnet="172.29.0.32/27")

    assert ensure_network(stub.api(), spec, {}) == Made("new", (spec.subnet, spec.ipv6_subnet))

    (asked,) = stub.received
    config = {"Config": [{"Subnet": "172.29.0.32/27"}, {"Subnet": "fd12:3456:789a::/64"}]}
    assert asked.json()["IPAM"] == config


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (403, "Pool overlaps with other one on this address space", SubnetTaken),
        (403, "invalid pool request: Pool overlaps with other one on this address", SubnetTaken),
        (403, "cannot create network a: networks have overlapping IPv4", SubnetTaken),
        (500, "Pool overlaps with other one", EngineRefused),
        (403, "not authorized", EngineRefused),
    ],
)
def test_addresses_that_another_network_has(
    stub: StubEngine, status: int, message: str, error: type[Exception]
) -> None:
    """They are an error of their own, in the words of each version; other refusals are not."""
    stub.on("POST", "/networks/create", refusal(status, message))

    with pytest.raises(EngineRefused) as raised:
        ensure_network(stub.api(), replace(SPEC, subnet="172.29.0.32/27"), {})
    assert type(raised.value) is error
    with pytest.raises(EngineRefused) as raised:
        ensure_network(stub.api(), SPEC, {})
    assert type(raised.value) is EngineRefused


def test_other_networks_of_the_name_go(stub: StubEngine) -> None:
    """The one with the addresses that are asked for stays, as does what only has a part of the name."""
    listed = [
        a_network("job", "10.8.0.0/27", Id="a", Created="1"),
        a_network("job", "10.8.0.32/27", Id="b", Created="2"),
        a_network("job-2", "10.8.0.64/27", Id="c", Created="0"),
    ]
    stub.on("POST", "/networks/create", refusal(409, "network with name job already exists"))
    stub.on("GET", "/networks\\?filters", http(200, listed))
    stub.on("DELETE", "/networks/", http(204))

    spec = replace(SPEC, subnet="10.8.0.32/27")
    assert ensure_network(stub.api(), spec, {}) == Made("b", ("10.8.0.32/27",))

    (asked,) = stub.asked("GET", "/networks")
    assert LABEL in asked.path
    assert [each.path.rpartition("/")[2] for each in stub.asked("DELETE", "/networks")] == ["a"]


def test_a_network_in_place_of_another(stub: StubEngine) -> None:
    """The other one goes before, so that its name is free."""
    stub.on("DELETE", "/networks/", http(204))
    stub.on("POST", "/networks/create", http(201, {"Id": "new"}))

    assert (
        ensure_network(stub.api(), NetworkSpec("job", {}, subnet="10.8.0.0/27"), {}, "old").id
        == "new"
    )

    assert [each.method for each in stub.received] == ["DELETE", "POST"]
    assert stub.received[0].path.endswith("/networks/old")


def test_no_subnet_is_left(stub: StubEngine) -> None:
    """The administrator is told what to do."""
    message = "could not find an available, non-overlapping IPv4 address pool"
    stub.on("POST", "/networks/create", refusal(500, message))

    with pytest.raises(ResourceExhausted, match=r"`\[docker\] network_pool`"):
        ensure_network(stub.api(), SPEC, {})


def test_a_network_that_cannot_be_made(stub: StubEngine) -> None:
    """The error has the engine's own words."""
    stub.on("POST", "/networks/create", refusal(500, "iptables failed"))

    with pytest.raises(EngineRefused, match="The network job could not be created: iptables fail"):
        ensure_network(stub.api(), SPEC, {})


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
    pools = [{"Base": "10.9.0.0/16", "Size": 24}, {"Base": "10.10.0.0/16", "Size": 24}]
    stub.on("GET", "/info", http(200, {"RegistryConfig": config, "DefaultAddressPools": pools}))

    assert survey(stub.api()) == Surroundings(
        mtu=1450,
        subnets=("172.17.0.0/16", "172.19.0.0/16"),
        networks=("172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16"),
        engine_pools=("10.9.0.0/16", "10.10.0.0/16"),
        mirrors=("https://mirror.example.com/",),
        insecure_registries=("10.0.0.0/8", "registry.local:5000"),
    )


@pytest.mark.parametrize(
    ("networks", "info"),
    [
        (refusal(500, "no"), refusal(500, "no")),
        (http(200, []), http(200, {})),
        (http(200, None), http(200, {"RegistryConfig": None, "DefaultAddressPools": None})),
        (http(200, None), http(200, {"DefaultAddressPools": ["?", {"Base": ""}]})),
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
