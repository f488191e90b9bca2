"""Where the server listens: an address of this host that the jobs' containers reach."""

import ipaddress
from pathlib import Path

import docker
import docker.errors

from executor.bounds import toml_table, whole_number
from executor.excerpts import excerpt
from executor.files import read_regular
from executor.local.errors import LocalError

_LAST_PORT = 65535
_MOST_BYTES = 1024 * 1024
_REMEDY = "name an address of this host that containers can reach with --listen"


def listen_address(wanted: str, *, engine: str) -> tuple[str, int]:
    """Return host and port; port 0 means any free one."""
    if not wanted:
        return bridge_gateway(engine), 0
    host, colon, port = wanted.partition(":")
    number = whole_number(port, _LAST_PORT) if port else 0
    if number is None or (colon and not port):
        shown = excerpt(port)
        raise LocalError(
            f'--listen {excerpt(wanted)}: "{shown}" is not a port; write HOST or HOST:PORT'
        )
    return host, number


def bridge_gateway(engine: str) -> str:
    """Return the host's address on the engine's default bridge."""
    try:
        client = docker.DockerClient(base_url=engine) if engine else docker.from_env()
        bridge = client.networks.get("bridge")
        settings = bridge.attrs["IPAM"]["Config"] or []
        client.close()
    except docker.errors.NotFound:
        raise LocalError(f"the Docker Engine has no bridge network; {_REMEDY}") from None
    except (docker.errors.DockerException, OSError) as error:
        raise LocalError(
            f"the Docker Engine at {engine or 'the default address'} does not answer ({error});"
            f" start it, check `host` in the settings, or {_REMEDY}"
        ) from None
    gateway = gateway_of(settings)
    if not gateway:
        raise LocalError(f"the Docker Engine's bridge network has no gateway; {_REMEDY}")
    return gateway


def gateway_of(settings: list[dict[str, str]]) -> str:
    """Return the first IPv4 gateway of a network's settings, if there is one.

    Docker 20.10 leaves it out where the bridge was not there when the engine started: then it is
    the subnet's first address.
    """
    for setting in settings:
        gateway, subnet = setting.get("Gateway", ""), setting.get("Subnet", "")
        if not gateway and subnet:
            gateway = str(next(ipaddress.ip_network(subnet, strict=False).hosts()))
        if gateway and ":" not in gateway:
            return gateway
    return ""


def engine_of(settings: Path | None) -> str:
    """Return the engine that the settings name; nothing means the environment's."""
    if settings is None:
        return ""
    try:
        document = toml_table(read_regular(str(settings), _MOST_BYTES).decode())
    except (OSError, ValueError):
        # The config hook says what is wrong with its settings.
        return ""
    section = document.get("docker", {})
    host = section.get("host", "") if isinstance(section, dict) else ""
    return host if isinstance(host, str) else ""
