"""Addresses inside a sidecar, chosen among those that nothing around it has."""

import ipaddress

import pytest

from executor.errors import (
    SettingsError,
)
from executor.plan.network import AddressPool, inner_pool, ipv6_subnet, plan_network
from executor.spec import Surroundings
from tests.builders import some_inputs

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), AddressPool("10.216.0.1/17", "10.216.128.0/17", 24)),
        (("10.216.0.0/16",), AddressPool("10.217.0.1/17", "10.217.128.0/17", 24)),
        (("10.216.0.0/16", "10.217.4.0/27"), AddressPool("10.218.0.1/17", "10.218.128.0/17", 24)),
        # an address, and what is neither
        (("10.216.0.53", "docker.io", ""), AddressPool("10.217.0.1/17", "10.217.128.0/17", 24)),
        (("fd00::/8",), AddressPool("10.216.0.1/17", "10.216.128.0/17", 24)),
        (("10.0.0.0/8",), AddressPool("172.21.0.1/17", "172.21.128.0/17", 24)),
        (("10.0.0.0/8", "172.16.0.0/12"), AddressPool("192.168.64.1/19", "192.168.96.0/19", 24)),
        (PRIVATE, AddressPool("198.18.0.1/17", "198.18.128.0/17", 24)),
        (("0.0.0.0/0",), None),
    ],
)
def test_the_first_free_range(taken: tuple[str, ...], expected: AddressPool | None) -> None:
    """Those that a job names itself, as a lone dind's, come last."""
    assert inner_pool(taken) == expected


def test_bridge_and_pool_do_not_meet() -> None:
    """No choice overlaps the other or what is taken, and the pool holds networks."""
    taken: list[str] = []
    while (found := inner_pool(taken)) is not None:
        bridge, pool = (
            ipaddress.ip_interface(found.bridge).network,
            ipaddress.ip_network(found.pool),
        )
        assert not bridge.overlaps(pool)
        assert pool.prefixlen < found.size
        for each in map(ipaddress.ip_network, taken):
            assert not each.overlaps(bridge)
            assert not each.overlaps(pool)
        taken += [str(bridge), str(pool)]
    assert len(taken) > 50


def test_ipv6_networks_are_a_jobs_own() -> None:
    """They are private, the same each time, and different for each job and each use."""
    subnets = [ipv6_subnet(key, number) for key in ("1-a", "2-b") for number in (0, 1)]

    assert len(set(subnets)) == 4
    assert subnets[0] == ipv6_subnet("1-a", 0)
    for each in subnets:
        network = ipaddress.IPv6Network(each)
        assert network.prefixlen == 64
        assert network.subnet_of(ipaddress.IPv6Network("fd00::/8"))


def test_ipv6_is_refused_where_jobs_would_reach_each_other() -> None:
    """The administrator is told what the engine lacks; without IPv6 it lacks nothing."""
    with pytest.raises(SettingsError, match=r'`\[docker\] enable_ipv6`.*"ip6tables": true'):
        plan_network(some_inputs(settings="[docker]\nenable_ipv6 = true\n"), Surroundings())

    assert plan_network(some_inputs(), Surroundings()).ipv6_subnet == ""
