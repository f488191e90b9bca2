"""Hosts and addresses, alone and in URLs: what is wrong with one, and which host is in one; pure.

Each check takes a string and returns a sentence, "" if the value is right.
"""

from executor.bounds import port_number
from executor.notation.paths import wrong_path

_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def wrong_engine(address: str) -> str:
    """Check the address of a Docker Engine."""
    scheme, _, rest = address.partition("://")
    if scheme == "unix":
        return wrong_path(rest)
    host, colon, port = rest.rpartition(":")
    if scheme == "tcp" and colon and not _wrong_host(host) and _is_port(port):
        return ""
    return f"{address!r} must look like unix:///var/run/docker.sock or tcp://host:2376"


def wrong_extra_host(line: str) -> str:
    """Check a `name:ip` line for /etc/hosts."""
    name, colon, address = line.partition(":")
    if not colon or _wrong_host(name):
        return f"{line!r} must look like name:ip"
    return "" if address == "host-gateway" else wrong_ip(address)


def wrong_ip(address: str) -> str:
    """Check an IP address."""
    import ipaddress  # only for settings that name one

    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return f"{address!r} is not an IP address"
    return ""


def wrong_domain(domain: str) -> str:
    """Check a DNS search domain; a lone dot switches searching off."""
    return "" if domain == "." else _wrong_host(domain)


def wrong_mirror(url: str) -> str:
    """Check the URL of a registry mirror."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if (
        scheme in ("http", "https")
        and not _wrong_authority(host)
        and not set("?#").intersection(rest)
    ):
        return ""
    return f"{url!r} must look like https://mirror.example.com"


def wrong_insecure_registry(registry: str) -> str:
    """Check a registry to be reached without verified TLS: a host, or a network in CIDR form."""
    network, slash, bits = registry.partition("/")
    if slash and bits.isdecimal() and not wrong_ip(network):
        return ""
    if slash or _wrong_authority(registry):
        return f"{registry!r} must look like registry.example.com:5000 or 10.0.0.0/8"
    return ""


def host_of(address: str) -> str:
    """Return the host in a URL or `host:port`, without an IPv6 address's brackets."""
    authority = (address.partition("://")[2] or address).partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def certified(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and addresses in a DOCKER_TLS_SAN, and the entries that are neither.

    They are written as openssl has them: `DNS:` or `IP:` before each, commas or blanks between.
    """
    good: list[str] = []
    bad: list[str] = []
    for entry in text.replace(",", " ").split():
        kind, _, name = entry.partition(":")
        is_name = kind == "DNS" and not _wrong_host(name.removeprefix("*."))
        if is_name or (kind == "IP" and not wrong_ip(name)):
            good.append(name)
        else:
            bad.append(entry)
    return tuple(good), tuple(bad)


def parts_of(address: str) -> tuple[str, str, str]:
    """Return scheme, host and port of an address such as `tcp://host:2375`, "" for what it lacks."""
    scheme = address.partition("://")[0] if "://" in address else ""
    authority = (address.partition("://")[2] or address).partition("/")[0].rpartition("@")[2]
    port = authority.rpartition("]")[2].partition(":")[2]
    return scheme, host_of(address), port


def _wrong_authority(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return _wrong_host(authority)
    return _wrong_host(host) or ("" if _is_port(port) else f"{port!r} is not a port")


def _wrong_host(host: str) -> str:
    if host.startswith("["):
        return wrong_ip(host)
    good = host and _CHARACTERS.issuperset(host) and not host.startswith((".", "-"))
    return "" if good else f"{host!r} is not a host name"


def _is_port(port: str) -> bool:
    return port_number(port) is not None
