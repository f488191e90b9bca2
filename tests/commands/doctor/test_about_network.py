"""Addresses and rules, in cases beside those of the table."""

from pathlib import Path

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

    assert "no free networks" in host.found("subnets")[0].found


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


def test_a_network_is_known_by_its_id(tmp_path: Path) -> None:
    """The interface of a network without a name of its own is made of its id."""
    host = Host(tmp_path)
    host.networks.append({"Name": "job", "Id": "fedcba9876543210", "Driver": "bridge"})
    assert "job (br-fedcba987654)" in host.found("isolation")[0].found

    host.more["rules"] = f"{RULES}-A X -i br-fedcba987654 -j ACCEPT\n"
    assert [each.level for each in host.found("isolation")] == ["ok"]
