"""Addresses and rules, in cases beside those of the table."""

from pathlib import Path

import pytest

from executor.notation.claims import KEPT_NETWORK_LABEL
from tests.commands.doctor.hosts import BRIDGE, RULES, Host


def test_the_engines_own_networks_are_no_foreign_routes(tmp_path: Path) -> None:
    """A route to a job's network, which the engine has made, does not count against the pool."""
    route = "br-0123456789ab 0000F00A 00000000 0001 0 0 0 E0FFFFFF 0 0 0\n"  # 10.240.0.0/27
    host = Host(tmp_path, settings='[docker]\nnetwork_pool = ["10.240.0.0/16"]\n')
    host.networks.append({**BRIDGE, "Name": "job", "Options": {}})
    host.write({"/proc/net/route": f"Iface\n{route}"})

    assert [each.level for each in host.found("subnets")] == ["ok"]


def test_a_full_pool_fails(tmp_path: Path) -> None:
    """A pool whose only network is taken lets no job begin."""
    host = Host(tmp_path, settings='[docker]\nnetwork_pool = ["10.9.0.0/27"]\n')
    host.networks.append({**BRIDGE, "IPAM": {"Config": [{"Subnet": "10.9.0.0/27"}]}})

    assert "0 free networks" in host.found("subnets")[0].found


def test_a_network_that_a_slot_keeps_is_free(tmp_path: Path) -> None:
    """It goes where a job finds no other addresses."""
    host = Host(tmp_path, settings='[docker]\nnetwork_pool = ["10.9.0.0/27"]\n')
    kept = {KEPT_NETWORK_LABEL: "mtu=0 ipv6="}
    subnet = {"Config": [{"Subnet": "10.9.0.0/27"}]}
    host.networks.append({**BRIDGE, "Name": "kept", "Labels": kept, "IPAM": subnet})

    assert host.found("subnets")[0].found.startswith("1 free network in")


def test_a_route_by_policy_counts(tmp_path: Path) -> None:
    """A VPN whose routes lie in a table of its own is seen."""
    host = Host(tmp_path, settings='[docker]\nnetwork_pool = ["10.8.0.0/24"]\n')
    host.more["policy_routes"] = ("10.8.0.0/16",)

    assert [each.level for each in host.found("subnets")] == ["fail"]


def test_another_host_is_not_judged_by_this_ones_files(tmp_path: Path) -> None:
    """An engine that names another host leaves the checks of its network skipped, not right."""
    host = Host(tmp_path)
    host.info["Name"] = "elsewhere"

    for check in ("isolation", "firewall", "mtu", "dns", "modules", "subnets"):
        assert [each.level for each in host.found(check)] == ["skip"], check


def test_rules_that_may_not_be_read_are_not_judged(tmp_path: Path) -> None:
    """Without root, or without a program that lists them, nobody can tell."""
    for rules in (None, ""):
        host = Host(tmp_path / str(rules), more={"rules": rules})
        assert [each.level for each in host.found("isolation")] == ["skip"]


RULES_OF_29 = """\
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
"""
NFTABLES = """\
table ip docker-bridges {
\tchain filter-forward-in__docker0 {
\t\tcounter packets 0 bytes 0 drop comment "UNPUBLISHED PORT DROP"
"""


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        (RULES, "ok"),
        (RULES_OF_29, "ok"),
        (NFTABLES, "ok"),
        (RULES.replace("-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n", ""), "fail"),
        (RULES.replace("-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP\n", ""), "fail"),
        (RULES_OF_29.replace("-A DOCKER ! -i docker0 -o docker0 -j DROP\n", ""), "fail"),
        (NFTABLES.replace("__docker0", "__docker01"), "fail"),
    ],
)
def test_a_network_is_apart_by_the_rules_of_each_engine(
    tmp_path: Path, rules: str, level: str
) -> None:
    """A second engine flushes the chain of isolation alone: other rules of a network prove nothing."""
    host = Host(tmp_path, more={"rules": rules})

    assert [each.level for each in host.found("isolation")] == [level]


def test_a_network_is_known_by_its_id(tmp_path: Path) -> None:
    """The interface of a network without a name of its own is made of its id.

    One without containers may be on its way in or out, and says nothing.
    """
    host = Host(tmp_path)
    host.networks.append({"Name": "job", "Id": "fedcba9876543210", "Driver": "bridge"})
    assert [each.level for each in host.found("isolation")] == ["ok"]
    host.containers.append({"NetworkSettings": {"Networks": {"job": {}}}})
    assert "job (br-fedcba987654)" in host.found("isolation")[0].found

    host.more["rules"] = f"{RULES}-A DOCKER-ISOLATION-STAGE-2 -o br-fedcba987654 -j DROP\n"
    assert [each.level for each in host.found("isolation")] == ["ok"]

    host.more.clear()
    option = "com.docker.network.bridge.gateway_mode_ipv4"
    host.networks[-1]["Options"] = {option: "nat-unprotected"}
    assert [each.level for each in host.found("isolation")] == ["ok"]
