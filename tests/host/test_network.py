"""What the host's files say of its network."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.host.network import (
    authorities,
    bridge_of,
    host_bridges,
    host_mtu,
    host_resolvers,
    host_routes,
    resolves,
    with_host,
)
from executor.spec import Surroundings

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t{}\t00000000\t{}\t0\t0\n"
LAN = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
BRIDGE = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
DOWN = BRIDGE.replace("0001", "0000")


def written(directory: Path, *lines: str, mtu: str = "1400") -> tuple[str, str]:
    """Return a route table, and a directory of interfaces."""
    routes, interface = directory / "route", directory / "net" / "eth0"
    routes.write_text(HEAD + "".join(lines))
    interface.mkdir(parents=True)
    (interface / "mtu").write_text(f"{mtu}\n")
    return str(routes), str(directory / "net")


@pytest.mark.parametrize(
    ("lines", "mtu", "expected"),
    [
        ((DEFAULT.format(0, 0), LAN), "1400", 1400),
        ((DEFAULT.format(0, 0),), "1500", 0),
        ((DEFAULT.format(0, 0),), "9001", 0),
        # the route's own, and the route that is taken first
        ((DEFAULT.format(0, 1380),), "1500", 1380),
        ((DEFAULT.format(200, 1280), DEFAULT.format(100, 0)), "1420", 1420),
        ((LAN, BRIDGE), "1400", 0),
        ((DEFAULT.format(0, 0).replace("eth0", "gone"),), "1400", 0),
        (("short\n", "eth0 zz zz zz\n"), "1400", 0),
    ],
)
def test_the_mtu_of_the_way_out(
    tmp_path: Path, lines: tuple[str, ...], mtu: str, expected: int
) -> None:
    """Only a small one matters."""
    assert host_mtu(*written(tmp_path, *lines, mtu=mtu)) == expected


def test_what_the_host_has_routes_to(tmp_path: Path) -> None:
    """The default route leads everywhere, as one in two halves does, and one that is down nowhere."""
    half = "tun0\t00000080\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
    routes, _ = written(tmp_path, DEFAULT.format(0, 0), LAN, BRIDGE, BRIDGE, half)
    bridge = ("172.17.0.0/16", "docker0")
    assert host_routes(routes) == (("192.0.2.0/24", "eth0"), bridge, bridge)
    routes_down = tmp_path / "down"
    routes_down.write_text(HEAD + DOWN)
    assert host_routes(str(routes_down)) == ()


def test_which_routes_lead_to_networks_of_docker(tmp_path: Path) -> None:
    """Their interfaces have names that Docker gives, by the network's id."""
    name = bridge_of("0764506a84d6" + "0" * 52)
    others = ("br-lan", "br-0764506A84D6", "0764506a84d6", "br-0764506a84d6.5", "veth0764506a84d6")
    lines = [BRIDGE.replace("docker0", each) for each in (name, *others)]
    routes, _ = written(tmp_path, DEFAULT.format(0, 0), LAN, BRIDGE, *lines)
    assert host_bridges(routes) == (("172.17.0.0/16", "docker0"), ("172.17.0.0/16", name))


def test_the_hosts_resolvers(tmp_path: Path) -> None:
    """The resolvers of all files that exist count, each one once."""
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("# of systemd\nnameserver 127.0.0.53\noptions edns0\nnameserver\n")
    real.write_text("nameserver 172.17.0.53\nnameserver 127.0.0.53\nsearch example.com\n")
    files = [str(stub), str(real), str(tmp_path / "none")]
    assert host_resolvers(files) == ("127.0.0.53", "172.17.0.53")


@pytest.mark.parametrize(
    ("gateways", "mtu", "local", "expected"),
    [
        (("127.0.0.1",), 0, True, (1400, True)),
        # in a container, and with an engine elsewhere
        (("192.0.2.1",), 0, True, (0, False)),
        (("127.0.0.1",), 0, False, (0, False)),
        # what the engine says of itself counts anywhere
        (("192.0.2.1",), 1300, True, (1300, False)),
        (("127.0.0.1",), 1300, True, (1300, True)),
    ],
)
def test_routes_count_on_the_engines_host_alone(
    mocker: MockerFixture,
    gateways: tuple[str, ...],
    mtu: int,
    expected: tuple[int, bool],
    *,
    local: bool,
) -> None:
    """A container's way out is not the host's, and no other container can be reached from it."""
    mocker.patch("executor.host.network.host_mtu", return_value=1400)

    around = with_host(Surroundings(mtu, gateways=gateways), "/nowhere", local=local)

    assert (around.mtu, around.in_reach) == expected


def test_addresses_that_are_known_are_kept_free(mocker: MockerFixture) -> None:
    """Those of a container as well, and none where the engine is on another host."""
    lan, bridge = ("192.0.2.0/24", "eth0"), ("172.18.0.0/16", bridge_of("0764506a84d6"))
    mocker.patch("executor.host.network.host_routes", return_value=(lan, lan, bridge))
    mocker.patch("executor.host.network.host_resolvers", return_value=("198.51.100.1",))
    mocker.patch("executor.host.network.policy_routes", return_value=("10.9.0.0/16",))
    around = Surroundings(subnets=("172.17.0.0/16",), gateways=("203.0.113.1",))

    found = with_host(around, "/nowhere", local=True)
    assert found.subnets == ("172.17.0.0/16", lan[0], bridge[0], "10.9.0.0/16", "198.51.100.1")
    assert found.bridges == ()
    here = with_host(Surroundings(gateways=("127.0.0.1",)), "/nowhere", local=True)
    assert here.bridges == (bridge,)
    assert with_host(around, "/nowhere", local=False).subnets == ("172.17.0.0/16",)


def test_a_host_without_proc(tmp_path: Path) -> None:
    """Nothing is known, and nothing fails."""
    assert host_mtu(str(tmp_path / "none"), str(tmp_path)) == 0
    assert host_routes(str(tmp_path / "none")) == ()


def test_authorities_of_registries(tmp_path: Path) -> None:
    """All of a registry's *.crt; neither keys nor client certificates leave the host."""
    registry = tmp_path / "registry.local:5000"
    registry.mkdir()
    (registry / "ca.crt").write_text("# Fő\none\n", encoding="utf-8")
    (registry / "old.crt").write_text("two")
    (registry / "client.cert").write_text("client")
    (registry / "client.key").write_text("key")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").write_text("?")

    assert authorities(str(tmp_path)) == (("registry.local:5000", "# Fő\none\ntwo\n".encode()),)
    assert authorities(str(tmp_path / "none")) == ()


@pytest.mark.parametrize(
    ("name", "known"), [("localhost", True), ("127.0.0.1", True), ("a" * 70, False), ("", False)]
)
def test_names_that_the_host_knows(name: str, known: bool) -> None:  # noqa: FBT001
    """What cannot be a name is nobody's either."""
    assert resolves(name) is known


@pytest.mark.parametrize(
    ("resolver", "address", "known"),
    [
        # beside this container, and elsewhere
        ("127.0.0.11", "192.0.2.7", False),
        ("127.0.0.11", "203.0.113.7", True),
        ("127.0.0.11", "2001:db8::7", True),
        # on a host, whose resolver knows no containers
        ("192.0.2.53", "192.0.2.7", True),
    ],
)
def test_a_name_of_a_container_beside_this_one(
    tmp_path: Path, mocker: MockerFixture, resolver: str, address: str, *, known: bool
) -> None:
    """Docker's resolver knows it here, and not where the jobs' containers ask."""
    routes, _ = written(tmp_path, DEFAULT.format(0, 0), LAN)
    resolvers = tmp_path / "resolv.conf"
    resolvers.write_text(f"nameserver {resolver}\n")
    found = [(0, 0, 0, "", (address, 0))]
    mocker.patch("executor.host.network.socket.getaddrinfo", return_value=found)

    assert resolves("builder", [str(resolvers)], routes) is known
