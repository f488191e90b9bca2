"""Where the keys of a runner lead its jobs' Docker clients: pure.

A path or an address is judged by what is there, however it is written.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from executor.errors import UnsupportedJobOption
from executor.notation.paths import clean, is_within
from executor.notation.volumes import InvalidVolume, VolumeEntry, parse_volume
from executor.plan.transport import Transport, transport

Table = Mapping[str, object]
SOCKET = "/run/docker.sock"
_SOCKETS = (SOCKET, "/run/podman/podman.sock", "/run/containerd/containerd.sock")
_SOCKET_NAMES = tuple(each.rpartition("/")[2] for each in _SOCKETS)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NETWORKS_OF_DOCKER = ("", "default", "bridge", "host", "none")


class Reach(NamedTuple):
    """How a job's Docker client would reach a daemon with the runner's variables as they are."""

    way: Transport | None
    """How it reaches the sidecar; None where DOCKER_TLS_CERTDIR cannot be obeyed."""
    host: str
    """The host's name in DOCKER_HOST, "" where there is none."""
    leads: str
    """Where DOCKER_HOST leads: one of the words below, "" where it is not set."""
    network: str
    """The network that jobs joined and join no longer, "" for none."""
    builds_elsewhere: bool
    """Whether jobs have built with a daemon that is no service of theirs."""


SIDECAR, WRONG_PORT, NOWHERE, LOST, ELSEWHERE = "sidecar", "port", "nowhere", "lost", "elsewhere"


def reach_of(variables: Mapping[str, str], docker: Table, names: set[str]) -> Reach:
    """Judge the runner's variables; `names` are those that lead to the sidecar."""
    try:
        way = transport(variables, {})
    except UnsupportedJobOption:
        way = None
    mode = str(docker.get("network_mode") or "")
    network = "" if mode in _NETWORKS_OF_DOCKER or mode.startswith("container:") else mode
    scheme, host, port = _address(variables.get("DOCKER_HOST", ""))
    leads = ""
    if "DOCKER_HOST" in variables:
        leads = ELSEWHERE
        if scheme in ("", "unix", "fd", "npipe") or host in _LOOPBACK:
            leads = NOWHERE
        elif host in names and scheme == "tcp":
            leads = SIDECAR if way and port == (2376 if way.tls else 2375) else WRONG_PORT
        elif network and "." not in host and "$" not in host and host not in _known(docker):
            leads = LOST
    volumes = docker.get("volumes")
    sockets = any(is_socket(each, docker) for each in _entries(volumes))
    return Reach(way, host, leads, network, sockets or leads in (LOST, ELSEWHERE))


def is_socket(entry: VolumeEntry, docker: Table) -> bool:
    """Tell whether an entry of `volumes` is there for a daemon's socket and little else.

    That is the socket itself, or a directory in /run where it is.
    """
    source = _canonical(entry.source)
    return (
        _canonical(entry.destination) == SOCKET
        or source.rpartition("/")[2] in _SOCKET_NAMES
        or source in _sockets(docker)
        or (is_within(source, "/run") and _holds_socket(source, docker))
    )


def shows_socket(entry: VolumeEntry, docker: Table) -> bool:
    """Tell whether a daemon's socket is among what an entry mounts."""
    return _holds_socket(_canonical(entry.source), docker)


def _holds_socket(source: str, docker: Table) -> bool:
    return bool(source) and any(
        source == "/" or is_within(each, source) for each in _sockets(docker)
    )


def _sockets(docker: Table) -> tuple[str, ...]:
    scheme, _, path = str(docker.get("host") or "").partition("://")
    return (*_SOCKETS, *([_canonical(path)] if scheme == "unix" else []))


def _canonical(path: str) -> str:
    """Return a path of a host in one spelling; "" for a volume's name. /var/run is /run."""
    if not path.startswith("/"):
        return ""
    plain = clean(path)
    return plain.removeprefix("/var") if is_within(plain, "/var/run") else plain


def _entries(volumes: object) -> list[VolumeEntry]:
    found = []
    for each in volumes if isinstance(volumes, list) else []:
        try:
            found.append(parse_volume(str(each)))
        except InvalidVolume:
            continue
    return found


def _known(docker: Table) -> set[str]:
    """Return the names that `extra_hosts` gives to jobs."""
    lines = docker.get("extra_hosts")
    return {str(each).partition(":")[0] for each in (lines if isinstance(lines, list) else [])}


def _address(text: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a daemon's address; nothing that may be a password."""
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError:
        return text.partition(":")[0], "", 0
    return parts.scheme, parts.hostname or "", port
