"""Which addresses the networks inside a sidecar get: pure.

dockerd chooses its networks among the ranges that it sees no route to.  Inside a job it sees the
job's network alone; the host's networks lie behind its default route, and a network inside the
sidecar that has their addresses puts them out of the job's reach.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from executor.digests import sha256
from executor.errors import SettingsError
from executor.plan.inputs import Inputs
from executor.spec import NetworkSpec, Surroundings

if TYPE_CHECKING:
    import ipaddress

_CANDIDATES = (
    *(f"10.{each}.0.0/16" for each in range(216, 224)),
    *(f"172.{each}.0.0/16" for each in range(21, 32)),
    *(f"192.168.{each}.0/18" for each in (64, 128, 192)),
    "198.18.0.0/16",
    *(f"172.{each}.0.0/16" for each in range(17, 21)),
)
"""Ranges that a job seldom gives a network of its own.

Docker's first ones come last, as compose files and scripts name them; those for private networks come
before 198.18, which is in no real network but which programs take for a public one.
"""

_NETWORK_BITS = 24


class AddressPool(NamedTuple):
    """Addresses that nothing else in a job's reach has."""

    bridge: str
    """Address and network of dind's default bridge, for `--bip`."""
    pool: str
    """Where networks that a job makes come from, in CIDR form."""
    size: int
    """The length of their prefix."""


def inner_pool(taken: Iterable[str]) -> AddressPool | None:
    """Return the first range that overlaps nothing of `taken`; None where there is none.

    `taken` may hold IPv6 networks, and addresses; what is neither is passed over.
    """
    import ipaddress

    networks = [network for each in taken if (network := _network(each))]
    for each in _CANDIDATES:
        candidate = ipaddress.IPv4Network(each)
        if not any(candidate.overlaps(network) for network in networks):
            bridge, pool = candidate.subnets(1)
            return AddressPool(
                f"{bridge.network_address + 1}/{bridge.prefixlen}", str(pool), _NETWORK_BITS
            )
    return None


def ipv6_subnet(key: str, number: int) -> str:
    """Return one of the 65536 private IPv6 networks that are a job's own (RFC 4193)."""
    import ipaddress

    unique = sha256(key.encode()).digest()[:5]
    packed = b"\xfd" + unique + number.to_bytes(2, "big") + bytes(8)
    return f"{ipaddress.IPv6Address(packed)}/64"


def plan_network(inputs: Inputs, surroundings: Surroundings) -> NetworkSpec:
    """Return the job's network, for which `addresses` has the subnet; nothing has to be pulled for it.

    Raises SettingsError where it is to have IPv6, and other jobs would reach it that way.
    """
    docker = inputs.settings.docker
    if docker.enable_ipv6 and not surroundings.separates_ipv6:
        raise SettingsError(
            "`[docker] enable_ipv6`: this Docker Engine does not keep jobs apart over IPv6. Update it"
            ' to 27 or later, or set `"experimental": true` and `"ip6tables": true` in its'
            " daemon.json, or set `enable_ipv6 = false` in the runner's settings."
        )
    return NetworkSpec(
        inputs.names.network,
        inputs.labels("network"),
        mtu=docker.network_mtu or surroundings.mtu,
        # Given by us, as engines before 27 have no IPv6 networks of their own.
        ipv6_subnet=ipv6_subnet(inputs.names.key, 0) if docker.enable_ipv6 else "",
    )


def _network(text: str) -> "ipaddress.IPv4Network | None":
    import ipaddress

    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None
