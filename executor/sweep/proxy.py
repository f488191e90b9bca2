"""Which proxy leads to GitLab, by the environment, as gitlab-runner itself decides it.

Pure: no I/O.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    Address = IPv4Address | IPv6Address

_HTTP_PORT = 80


class Proxy(NamedTuple):
    """A proxy that speaks HTTP."""

    host: str
    port: int
    login: str
    """`user:password`, "" without any."""

    def __repr__(self) -> str:
        """Return it without its password."""
        return f"<proxy {self.host}:{self.port}>"


class UnknownProxy(ValueError):
    """The environment names a proxy of a kind that is not known."""


def proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy to a server, or None where it is asked directly; raises UnknownProxy."""
    if host == "localhost" or _is_loopback(host):
        return None
    named = _variable(environ, f"{scheme}_proxy")
    if not named or _is_excepted(host, port, _variable(environ, "no_proxy")):
        return None
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        found = parts.hostname, parts.port
    except ValueError:
        raise UnknownProxy from None
    if parts.scheme != "http" or not found[0]:
        raise UnknownProxy
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return Proxy(found[0], found[1] or _HTTP_PORT, login if parts.username is not None else "")


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def _is_excepted(host: str, port: int, entries: str) -> bool:
    address = _address(host)
    return any(_covers(entry.strip().lower(), host, address, port) for entry in entries.split(","))


def _covers(entry: str, host: str, address: "Address | None", port: int) -> bool:
    """Tell whether an entry of NO_PROXY is about a server."""
    if entry == "*":
        return True
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    if entry.startswith("[") or entry.count(":") == 1:
        name, _, only = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
        if only and only != str(port):
            return False
        entry = name.strip("[]")
    entry = entry.removeprefix("*")
    if not entry.strip("."):
        return False
    return host == entry or host.endswith(entry if entry.startswith(".") else f".{entry}")


def _is_in(address: "Address", network: str) -> bool:
    import ipaddress

    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback


def _address(host: str) -> "Address | None":
    """Return the address that a host is named by; None where it has a name."""
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
