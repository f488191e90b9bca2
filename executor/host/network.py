"""What the runner's host says of its own network: read from files, nothing is run.

gitlab-runner may be in a container: then these files are the container's, and speak of the engine's
host only where it has no network of its own.
"""

import os
import socket
import struct
from collections.abc import Iterable, Iterator

from executor.bounds import whole_number
from executor.dataclass import replace
from executor.files import read_regular
from executor.host.namespaces import shares_network
from executor.host.routes import policy_routes
from executor.spec import Surroundings

_ROUTES = "/proc/net/route"
_INTERFACES = "/sys/class/net"
_USUAL_MTU = 1500
_UP = 1
_SHORTEST_PREFIX = 8
_MOST_BYTES = 1024 * 1024
_BRIDGE, _ID_DIGITS = "br-", 12
"""How Docker calls the interface of a network, by its id."""
_DEFAULT_BRIDGE = "docker0"
_DOCKERS_RESOLVER = "127.0.0.11"
_RESOLVERS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")


def with_host(around: Surroundings, certs_d: str, *, local: bool) -> Surroundings:
    """Add what the runner's host knows; its network may count where the engine is `local`.

    The routes of a container say nothing of the way out of the engine's host.  Addresses that this
    process knows are kept free all the same: to keep too many free costs nothing.
    """
    in_reach = local and shares_network(around.gateways, around.engine_name)
    routes = host_routes() if local else ()
    others = policy_routes() if local else ()
    subnets = dict.fromkeys((*(subnet for subnet, _ in routes), *others))
    return replace(
        around,
        mtu=around.mtu or (host_mtu() if in_reach else 0),
        subnets=(*around.subnets, *subnets, *(host_resolvers() if local else ())),
        bridges=tuple(filter(_is_bridge, routes)) if in_reach else (),
        authorities=authorities(certs_d),
        in_reach=in_reach,
    )


def host_mtu(routes: str = _ROUTES, interfaces: str = _INTERFACES) -> int:
    """Return the MTU of the default route, 0 where it is 1500 or more, or not known.

    A larger one is of no use: packets leave the host for networks that carry 1500.
    """
    found = []
    for interface, destination, mask, metric, mtu in _routes(routes):
        if destination == mask == 0:
            found.append((metric, mtu or _interface_mtu(f"{interfaces}/{interface}/mtu")))
    best = min(found, default=(0, 0))[1]
    return best if best < _USUAL_MTU else 0


def host_routes(routes: str = _ROUTES) -> tuple[tuple[str, str], ...]:
    """Return what the host has routes to, in CIDR form, each with the interface.

    Without the default route, and without those that stand for it: a VPN has `0.0.0.0/1`.
    """
    return tuple(
        (f"{socket.inet_ntoa(struct.pack('=I', destination))}/{mask.bit_count()}", interface)
        for interface, destination, mask, _, _ in _routes(routes)
        if mask.bit_count() >= _SHORTEST_PREFIX
    )


def host_bridges(routes: str = _ROUTES) -> tuple[tuple[str, str], ...]:
    """Return the networks of Docker Engines on this host, in CIDR form, each with its interface."""
    return tuple(filter(_is_bridge, host_routes(routes)))


def bridge_of(network: str) -> str:
    """Return the interface of a network with this id."""
    return _BRIDGE + network[:_ID_DIGITS]


def host_resolvers(files: Iterable[str] = _RESOLVERS) -> tuple[str, ...]:
    """Return the addresses of the host's DNS servers; containers ask them by themselves."""
    lines = (line.split() for file in files for line in _read(file).splitlines())
    found = (words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1)
    return tuple(dict.fromkeys(found))


def resolves(name: str, files: Iterable[str] = _RESOLVERS, routes: str = _ROUTES) -> bool:
    """Tell whether the host knows a name; the containers' resolver asks the same servers.

    In a container with a network of its own, Docker's resolver also knows the containers beside it:
    those names are not known to jobs.
    """
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return False
    if _DOCKERS_RESOLVER not in host_resolvers(files):
        return bool(found)
    beside = {each for each in found if ":" not in each and _is_beside(each, routes)}
    return not beside


def _is_bridge(route: tuple[str, str]) -> bool:
    """Tell whether a route leads to a network of a Docker Engine."""
    _, interface = route
    digits = interface.removeprefix(_BRIDGE)
    named = len(digits) == _ID_DIGITS and not set(digits).difference("0123456789abcdef")
    return interface == _DEFAULT_BRIDGE or (named and digits != interface)


def _is_beside(address: str, routes: str) -> bool:
    """Tell whether an IPv4 address is in a network that is routed to by itself."""
    (number,) = struct.unpack("=I", socket.inet_aton(address))
    return any(
        number & mask == destination
        for _, destination, mask, _, _ in _routes(routes)
        if mask.bit_count() >= _SHORTEST_PREFIX
    )


def authorities(directory: str) -> tuple[tuple[str, bytes], ...]:
    """Return registries and the certificates that vouch for them; without any where none may be read.

    Only `*.crt` are authorities: a `.cert` and `.key` are the host's own identity.
    """
    found = []
    for registry in _listed(directory):
        names = [each for each in _listed(f"{directory}/{registry}") if each.endswith(".crt")]
        texts = [_bytes(f"{directory}/{registry}/{name}").strip() for name in names]
        if any(texts):
            found.append((registry, b"".join(text + b"\n" for text in texts if text)))
    return tuple(found)


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 (pathlib costs 9 ms a stage)
    except OSError:
        return []


def _routes(path: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield interface, destination, mask (both as the kernel has them), metric and MTU."""
    for line in _read(path).splitlines()[1:]:
        fields = line.split()
        try:
            flags = int(fields[3], 16)
            values = (int(fields[1], 16), int(fields[7], 16), int(fields[6]), int(fields[8]))
        except (IndexError, ValueError):
            continue
        if flags & _UP:
            yield (fields[0], *values)


def _interface_mtu(path: str) -> int:
    return whole_number(_read(path).strip()) or 0


def _read(path: str) -> str:
    """Return a file's text, "" where it cannot be read: not every host has /proc as Linux does."""
    return _bytes(path).decode("ascii", "replace")


def _bytes(path: str) -> bytes:
    try:
        return read_regular(path, _MOST_BYTES)
    except OSError:
        return b""
