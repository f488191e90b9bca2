"""Addresses, firewall rules, names and packet sizes of the engine's host.  Pure, on what was seen."""

from collections.abc import Iterator

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import CannotTell, Finding, counted, fail, ok, warn
from executor.engine.wire import as_table
from executor.host.network import bridge_of, host_mtu, host_routes
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.notation.subnets import overlap, span_of
from executor.plan.addresses import free_networks
from executor.spec import Surroundings

_DAEMON = "/etc/docker/daemon.json"
_AWAY = "/run/systemd/resolve/resolv.conf"
_BRIDGE_NAME = "com.docker.network.bridge.name"
_CHAINS = ("DOCKER-ISOLATION-STAGE-1", "DOCKER-FORWARD")
_NETWORKS_A_JOB = 2
"""A job that begins while another one's cleanup goes on."""


def subnets(facts: Facts) -> Iterator[Finding]:
    """Say whether jobs' networks find addresses that nobody else has."""
    pool = facts.settings.docker.network_pool
    routes = _routes(facts)
    wanted = _NETWORKS_A_JOB * facts.concurrent
    for text in pool:
        yield from _overlaps(text, routes)
    networks = [
        each
        for network in facts.engine.networks
        # Those that slots keep go where a job needs the addresses.
        if KEPT_NETWORK_LABEL not in as_table(network.get("Labels"))
        for each in _subnets(network)
    ]
    if not pool and facts.elsewhere:
        raise CannotTell(f"without `[docker] network_pool` the engine chooses; {facts.elsewhere}")
    around = Surroundings(
        networks=tuple(networks),
        subnets=tuple(each for each, _ in routes),
        engine_pools=tuple(_pools(facts)),
    )
    free = free_networks(pool, around, wanted)
    where = "`[docker] network_pool`" if pool else "what Docker makes networks of"
    if free < wanted:
        judge = warn if free else fail
        yield judge(
            f"{counted(free, 'free network')} in {where}, for {counted(facts.concurrent, 'job')} at once",
            f"{wanted} or more",
            "give `[docker] network_pool` a range that is free, or remove networks that nobody uses"
            " (`docker network prune`)",
        )
    yield ok(f"{wanted} free networks or more in {where}")


def _overlaps(text: str, routes: list[tuple[str, str]]) -> Iterator[Finding]:
    span = span_of(text)
    for route, interface in routes:
        other = span_of(route)
        if span is None or other is None or not overlap(span, other):
            continue
        covers = other[0] <= span[0] and span[1] <= other[1]
        says = f"`[docker] network_pool` has {text}, and this host has a route to {route}"
        via = f" ({interface})" if interface else ""
        remedy = (
            "give `[docker] network_pool` a range that nothing else uses, such as 10.240.0.0/16"
        )
        if covers:
            yield fail(
                f"{says}{via}: jobs do not reach what is there, and what is there does not reach them",
                "a pool that overlaps no route",
                remedy,
            )
        else:
            yield warn(
                f"{says}{via}: that part is kept free, and what lies behind it may be larger",
                "a pool that overlaps no route",
                remedy,
            )


def firewall(facts: Facts) -> Iterator[Finding]:
    """Say whether rules of several kinds meet, of which each alone may drop a packet."""
    backend = as_table(facts.engine.info.get("FirewallBackend"))
    kind = str(backend.get("Driver") or "")
    legacy = facts.files.text("/proc/net/ip_tables_names").split()
    if kind.startswith("nftables") and legacy:
        yield warn(
            "the engine filters by nftables, and the kernel has rules of iptables-legacy beside:"
            f" tables {', '.join(legacy)}",
            "rules of one kind",
            "remove the old rules (`iptables-legacy -F`, or a reboot), and what loads them",
        )
    rules = facts.rules or ""
    drops = "\n:FORWARD DROP" in rules and "DOCKER" not in rules
    if drops:
        yield warn(
            "the policy of FORWARD is DROP, and no rule of the engine accepts its containers' packets",
            "rules of the engine in FORWARD",
            "restart the engine, and let nothing flush its rules",
        )
    yield ok(kind or "iptables")


def isolation(facts: Facts) -> Iterator[Finding]:
    """Say whether each network of the engine still has its rules: another engine wipes them."""
    if facts.rules is None:
        raise CannotTell("the rules of iptables and nftables can be read by root alone")
    if not facts.rules:
        raise CannotTell("neither iptables-save nor nft is there, or neither has rules")
    used = _in_use(facts)
    bare = [
        f"{network.get('Name')} ({bridge})"
        for network in facts.engine.networks
        if network.get("Driver") == "bridge" and network.get("Name") in used
        for bridge in [_bridge(network)]
        if bridge and _is_meant_apart(network) and not _is_apart(bridge, facts.rules)
    ]
    if bare:
        yield fail(
            f"no rule keeps these networks apart from others: {', '.join(bare[:5])}. Something has"
            " removed the engine's rules: another engine that started or ended, or a firewall's reload",
            "rules for each network of the engine",
            "restart the engine, while no job runs. Two engines on one host need a network namespace"
            " each",
        )
    yield ok("each network has its rules")


def _in_use(facts: Facts) -> set[object]:
    """Return the names of networks with containers, and the engine's own, which has its rules always.

    One that is being made or removed may be without.
    """
    settings = (as_table(each.get("NetworkSettings")) for each in facts.engine.containers)
    return {"bridge", *(name for each in settings for name in as_table(each.get("Networks")))}


def _is_apart(bridge: str, rules: str) -> bool:
    """Tell whether a rule drops what comes to a network from others, and is reached.

    Up to 28 in DOCKER-ISOLATION-STAGE-2, later in DOCKER, with nftables in a chain of the network's own.
    """
    jumps = any(f"-A FORWARD -j {each}" in rules for each in _CHAINS)
    drops = jumps and f"-o {bridge} -j DROP" in rules
    return drops or f"filter-forward-in__{bridge} " in rules


def _is_meant_apart(network: dict[str, object]) -> bool:
    options = as_table(network.get("Options"))
    return options.get("com.docker.network.bridge.gateway_mode_ipv4") != "nat-unprotected"


def mtu(facts: Facts) -> Iterator[Finding]:
    """Say whether jobs' packets fit the way out."""
    way_out = host_mtu(facts.files.path("/proc/net/route"), facts.files.path("/sys/class/net"))
    set_by = facts.settings.docker.network_mtu
    if way_out and set_by and set_by > way_out:
        yield fail(
            f"`[docker] network_mtu` is {set_by}, and the way out carries {way_out}: large packets of"
            " jobs get lost, and pulls hang",
            f"{way_out} or less",
            "remove `network_mtu`: jobs' networks get the host's by themselves",
        )
    yield ok(f"{way_out or '1500 or more'}; jobs' networks have it by themselves")


def dns(facts: Facts) -> Iterator[Finding]:
    """Say whether containers can ask the host's name servers."""
    servers = _servers(facts, "/etc/resolv.conf")
    away = _servers(facts, _AWAY)
    usable = [each for each in (*servers, *away) if not each.startswith("127.") and each != "::1"]
    if servers and not usable and not facts.settings.docker.dns:
        yield warn(
            f"the only name server is {servers[0]} on this host itself, which no container reaches:"
            " the engine gives them Google's instead",
            "a name server that containers reach",
            f'"dns": ["<address>"] in {_DAEMON}, or `[docker] dns` in the settings',
        )
    yield ok(", ".join(dict.fromkeys(usable)) or "as the settings say")


def _servers(facts: Facts, file: str) -> list[str]:
    lines = (line.split() for line in facts.files.text(file).splitlines())
    return [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]


def _routes(facts: Facts) -> list[tuple[str, str]]:
    """Return what the host has routes to, except for the networks of this engine."""
    own = {_bridge(each) for each in facts.engine.networks}
    if facts.elsewhere:
        return []
    found = host_routes(facts.files.path("/proc/net/route"))
    others = [(each, "") for each in facts.policy_routes]
    return [(route, name) for route, name in (*found, *others) if not name or name not in own]


def _bridge(network: dict[str, object]) -> str:
    named = as_table(network.get("Options")).get(_BRIDGE_NAME)
    return str(named or bridge_of(str(network.get("Id") or "")))


def _subnets(network: dict[str, object]) -> list[str]:
    configs = as_table(network.get("IPAM")).get("Config")
    tables = [as_table(each) for each in configs] if isinstance(configs, list) else []
    return [str(each["Subnet"]) for each in tables if each.get("Subnet")]


def _pools(facts: Facts) -> list[str]:
    told = facts.engine.info.get("DefaultAddressPools")
    tables = [as_table(each) for each in told] if isinstance(told, list) else []
    return [str(each["Base"]) for each in tables if each.get("Base")]
