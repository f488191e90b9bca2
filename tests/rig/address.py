"""The one address of the rig: on an interface of our own, reached alike from everywhere.

An address of docker0 would not do: inside dind that address is dind's own docker0.
"""

import ipaddress
import json
import subprocess

from tests.rig.say import RigError

INTERFACE = "dindrig0"


def ensure() -> str:
    """Return the rig's address, on an interface that is up."""
    present = [line for line in _addresses() if line[0] == INTERFACE]
    if present:
        return str(present[0][1].ip)
    address = _free_address()
    _ip("link", "add", INTERFACE, "type", "bridge")
    try:
        _ip("address", "add", f"{address}/32", "dev", INTERFACE)
        _ip("link", "set", INTERFACE, "up")
    except RigError:
        remove()
        raise
    return address


def remove() -> bool:
    """Take the interface away and return whether there was one."""
    if not any(link["ifname"] == INTERFACE for link in _json("link", "show")):
        return False
    _ip("link", "delete", INTERFACE)
    return True


def _free_address() -> str:
    """Return an address that neither an interface nor a route of this machine covers."""
    taken = [interface.network for _, interface in _addresses()]
    for route in _json("route", "show", "table", "all"):
        destination = str(route.get("dst", ""))
        if destination[:1].isdigit():
            taken.append(ipaddress.IPv4Interface(destination).network)
    for third in range(7, 255):
        address = ipaddress.IPv4Address(f"10.213.{third}.1")
        if not any(address in network for network in taken):
            return str(address)
    message = "Every address of 10.213.0.0/16 is routed on this machine already; free one of them."
    raise RigError(message)


def _addresses() -> list[tuple[str, ipaddress.IPv4Interface]]:
    found = []
    for link in _json("address", "show"):
        infos = link.get("addr_info")
        for info in infos if isinstance(infos, list) else []:
            if info.get("family") == "inet":
                interface = ipaddress.IPv4Interface(f"{info['local']}/{info['prefixlen']}")
                found.append((str(link["ifname"]), interface))
    return found


def _json(*arguments: str) -> list[dict[str, object]]:
    text = _ip("-4", "-json", *arguments) if arguments[0] != "link" else _ip("-json", *arguments)
    rows: list[dict[str, object]] = json.loads(text or "[]")
    return rows


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        message = f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}"
        raise RigError(message)
    return done.stdout
