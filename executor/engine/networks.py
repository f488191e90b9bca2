"""The job's network, and what the engine says of the networks and registries around it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from executor.bounds import whole_number
from executor.engine import failures
from executor.engine.api import Api
from executor.engine.info import info
from executor.engine.wire import Answer, as_table, quote
from executor.errors import EngineRefused
from executor.names import LABEL
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.quick_json import dumps
from executor.spec import NetworkSpec, Surroundings
from executor.tasks import Task

_FORBIDDEN = 403
_CONFLICT = 409
_OVERLAPS = "overlap"
"""In what engines of all versions say of a network whose addresses another one has."""
_MTU = "com.docker.network.driver.mtu"
_USUAL_MTU = 1500
_LARGEST_MTU = 65535
_FILTERS_IPV6 = 27
"""The first major version of the engine with rules for IPv6 by itself; before, they count as
experimental."""
_LOOPBACK = ("127.", "localhost", "[::1]", "::1")


class SubnetTaken(EngineRefused):
    """Another network of the engine has some of the addresses that one was to have."""


class Made(NamedTuple):
    """A network that is there."""

    id: str
    subnets: tuple[str, ...]
    """In CIDR form."""


def survey(api: Api) -> Surroundings:
    """Return what the engine knows; what it does not tell counts as not there.

    The networks of other jobs are no part of the `subnets`: no job reaches them.
    """
    asked = Task(lambda: info(api))
    networks = _found(api, "/networks")
    listed = [as_table(each) for each in networks] if isinstance(networks, list) else []
    told = asked.result()
    mirrors, insecure = _registries(as_table(told.get("RegistryConfig")))
    return Surroundings(
        mtu=next((_mtu(each) for each in listed if each.get("Name") == "bridge"), 0),
        subnets=tuple(
            subnet
            for each in listed
            if _label_of_ours(as_table(each.get("Labels"))) is None
            for subnet in _subnets(each)
        ),
        networks=tuple(subnet for each in listed for subnet in _subnets(each)),
        engine_pools=_pools(told),
        mirrors=mirrors,
        insecure_registries=insecure,
        separates_ipv6=_separates_ipv6(told),
        engine_name=str(told.get("Name") or ""),
        engine_kernel=str(told.get("KernelVersion") or ""),
        gateways=tuple(
            gateway
            for each in listed
            if each.get("Driver") == "bridge"
            for gateway in _gateways(each)
        ),
        kept_networks=tuple(
            (str(each.get("Name")), str(each.get("Id")), str(made_with), _subnets(each))
            for each in listed
            if (made_with := as_table(each.get("Labels")).get(KEPT_NETWORK_LABEL)) is not None
        ),
    )


def ensure_network(
    api: Api, spec: NetworkSpec, known: dict[str, str], instead_of: str = ""
) -> Made:
    """Create the job's network, or keep the one that is there; its id is then `known` by its name.

    One with the id `instead_of`, on which nothing is yet, goes before.  Raises SubnetTaken where
    another network has some of its addresses.
    """
    if instead_of:
        api.send("DELETE", f"/networks/{instead_of}")
    made = _made(api, spec)
    known[spec.name] = made.id
    return made


def network_request(spec: NetworkSpec) -> dict[str, object]:
    """Return what the engine is asked to create."""
    asked = [{"Subnet": each} for each in (spec.subnet, spec.ipv6_subnet) if each]
    return {
        "Name": spec.name,
        "CheckDuplicate": True,
        "Driver": "bridge",
        "EnableIPv6": bool(spec.ipv6_subnet),
        "Labels": spec.labels,
        "Options": {_MTU: str(spec.mtu)} if spec.mtu else {},
        **({"IPAM": {"Config": asked}} if asked else {}),
    }


def _made(api: Api, spec: NetworkSpec) -> Made:
    asked = tuple(each for each in (spec.subnet, spec.ipv6_subnet) if each)
    answer = api.post("/networks/create", network_request(spec))
    if answer.status == _CONFLICT:
        return _kept(api, spec, answer)
    if not answer.ok:
        raise _refused(spec, answer)
    identity = str(as_table(answer.json()).get("Id") or spec.name)
    if spec.subnet:
        return Made(identity, asked)
    return Made(identity, _subnets(as_table(_found(api, f"/networks/{identity}"))))


def _kept(api: Api, spec: NetworkSpec, answer: Answer) -> Made:
    """Return the network of a name that is taken; others of this name go.

    Docker 20.10 makes several of one name where the requests come at the same moment, as those of an
    attempt that was killed and of the next one may.  It starts no container on any of them then,
    whatever the container was told to join.  Of several, the one with the addresses that are asked
    for stays, else the first.
    """
    found = sorted(
        (
            spec.subnet not in _subnets(each),
            str(each.get("Created")),
            str(each["Id"]),
            _subnets(each),
        )
        for each in _named(api, spec)
    )
    if not found:
        raise _refused(spec, answer)  # gone again
    (_, _, kept, subnets), *others = found
    for _, _, identity, _ in others:
        api.send("DELETE", f"/networks/{identity}")
    return Made(kept, subnets)


def _named(api: Api, spec: NetworkSpec) -> list[dict[str, object]]:
    """Return our networks of this name; the engine also lists those that only contain it."""
    filters = quote(dumps({"name": [spec.name], "label": [_label_of_ours(spec.labels) or LABEL]}))
    listed = _found(api, f"/networks?filters={filters}")
    found = [as_table(each) for each in listed] if isinstance(listed, list) else []
    return [
        each for each in found if each.get("Name") == spec.name and isinstance(each.get("Id"), str)
    ]


def _label_of_ours(labels: Mapping[str, object]) -> str | None:
    """Return the label that says that a network is a job's or a slot's; None on any other one."""
    return next((each for each in (LABEL, KEPT_NETWORK_LABEL) if each in labels), None)


def _refused(spec: NetworkSpec, answer: Answer) -> Exception:
    if spec.subnet and answer.status == _FORBIDDEN and _OVERLAPS in answer.message.lower():
        return SubnetTaken(f"The subnet {spec.subnet} is taken: {answer.message}.", answer.status)
    return failures.network_failure(spec.name, answer.status, answer.message)


def _found(api: Api, path: str) -> object:
    answer = api.get(path)
    return answer.json() if answer.ok else None


def _pools(told: dict[str, object]) -> tuple[str, ...]:
    """Return where daemon.json has the engine take its networks from; nothing where it does not say."""
    pools = [as_table(each) for each in _list(told.get("DefaultAddressPools"))]
    return tuple(str(each["Base"]) for each in pools if each.get("Base"))


def _subnets(network: dict[str, object]) -> tuple[str, ...]:
    found = (str(each.get("Subnet") or "") for each in _configs(network))
    return tuple(each for each in found if each)


def _gateways(network: dict[str, object]) -> Iterable[str]:
    """Yield the IPv4 addresses of a network that are the host's.

    Docker 20.10 leaves out that of its default bridge where the engine made it: then it is the first
    address of the subnet.
    """
    for each in _configs(network):
        gateway, subnet = str(each.get("Gateway") or ""), str(each.get("Subnet") or "")
        if not gateway and subnet and ":" not in subnet:
            gateway = _first_address(subnet)
        if gateway and ":" not in gateway:
            yield gateway.partition("/")[0]


def _first_address(subnet: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.IPv4Network(subnet, strict=False).network_address + 1)
    except ValueError:
        return ""


def _configs(network: dict[str, object]) -> list[dict[str, object]]:
    configs = as_table(network.get("IPAM")).get("Config")
    return [as_table(each) for each in configs] if isinstance(configs, list) else []


def _mtu(network: dict[str, object]) -> int:
    """Return what `mtu` in the engine's daemon.json says, 0 where that is the default."""
    mtu = whole_number(str(as_table(network.get("Options")).get(_MTU, "")), _LARGEST_MTU)
    return mtu if mtu and mtu != _USUAL_MTU else 0


def _separates_ipv6(told: dict[str, object]) -> bool:
    major = str(told.get("ServerVersion") or "").partition(".")[0]
    return (whole_number(major) or 0) >= _FILTERS_IPV6 or told.get("ExperimentalBuild") is True


def _registries(config: dict[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return mirrors and insecure registries, without what only the host itself can reach."""
    mirrors = [str(each) for each in _list(config.get("Mirrors"))]
    indexes = as_table(config.get("IndexConfigs"))
    insecure = [str(each) for each in _list(config.get("InsecureRegistryCIDRs"))]
    insecure += [name for name, each in indexes.items() if as_table(each).get("Secure") is False]
    return (
        tuple(each for each in mirrors if not _is_loopback(each.partition("://")[2])),
        tuple(each for each in insecure if not _is_loopback(each)),
    )


def _is_loopback(host: str) -> bool:
    return host.startswith(_LOOPBACK)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
