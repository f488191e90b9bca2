"""What the host's files say of its network."""

from pathlib import Path

import pytest

from executor.host.network import authorities, host_mtu, host_resolvers, host_subnets, resolves

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
    assert host_subnets(routes) == ("192.0.2.0/24", "172.17.0.0/16")
    routes_down = tmp_path / "down"
    routes_down.write_text(HEAD + DOWN)
    assert host_subnets(str(routes_down)) == ()


def test_the_hosts_resolvers(tmp_path: Path) -> None:
    """The resolvers of all files that exist count, each one once."""
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("# of systemd\nnameserver 127.0.0.53\noptions edns0\nnameserver\n")
    real.write_text("nameserver 172.17.0.53\nnameserver 127.0.0.53\nsearch example.com\n")
    files = [str(stub), str(real), str(tmp_path / "none")]
    assert host_resolvers(files) == ("127.0.0.53", "172.17.0.53")


def test_a_host_without_proc(tmp_path: Path) -> None:
    """Nothing is known, and nothing fails."""
    assert host_mtu(str(tmp_path / "none"), str(tmp_path)) == 0
    assert host_subnets(str(tmp_path / "none")) == ()


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
