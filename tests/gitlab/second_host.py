"""Another host that uses this one's Docker Engine by TCP, as far as a gitlab-runner can tell.

It has a network, processes, a machine id and a directory for temporary files of its own.
"""

import contextlib
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rig.state import Rig
from tests.sockets import Listener, tunnel

_NETWORKS = 200

_ENTER = """
set -e
mount --bind "$1" /etc/machine-id
mount -t tmpfs tmpfs "$2"
shift 2
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class SecondHost:
    """A host that is up."""

    within: list[str]
    """Stands before a command that is to run there, in an own PID namespace each."""
    temporary: Path
    """What is TMPDIR there; seen from here it is empty."""
    engine_host: str


@contextlib.contextmanager
def running(rig: Rig, directory: Path) -> Iterator[SecondHost]:
    """Have a second host until the end of the block."""
    directory.mkdir()
    machine_id, temporary = directory / "machine-id", directory / "tmp"
    machine_id.write_text(f"{secrets.token_hex(16)}\n")
    temporary.mkdir()
    name = f"dind{secrets.token_hex(4)}"
    with _network(name) as address, _engine_at(address, rig.engine_host) as port:
        program = shutil.which("unshare")
        assert program
        within = [
            *("ip", "netns", "exec", name),
            *(program, "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"),
            *("sh", "-c", _ENTER, "sh", str(machine_id), str(temporary)),
        ]
        yield SecondHost(within, temporary, f"tcp://{address}:{port}")


@contextlib.contextmanager
def _network(name: str) -> Iterator[str]:
    """Make a network namespace that reaches this host; return this host's address for it."""
    _ip("netns", "add", name)
    try:
        third = _free_third()
        address = f"10.214.{third}.1"
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("address", "add", f"{address}/30", "dev", name)
        _ip("link", "set", name, "up")
        for words in (
            ("address", "add", f"10.214.{third}.2/30", "dev", "eth0"),
            ("link", "set", "lo", "up"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", address),
        ):
            _ip("-n", name, *words)
        yield address
    finally:
        _ip("netns", "delete", name)


def _free_third() -> int:
    taken = subprocess.run(
        ["ip", "-4", "-o", "address"], check=True, capture_output=True, text=True
    ).stdout
    start = secrets.randbelow(_NETWORKS)
    numbers = [(start + each) % _NETWORKS for each in range(_NETWORKS)]
    return next(each for each in numbers if f" 10.214.{each}." not in taken)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def _engine_at(address: str, engine_host: str) -> Iterator[int]:
    """Pass connections to a port on to the engine's socket; yield the port."""
    path = engine_host.removeprefix("unix://")

    def pass_on(client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
            engine.connect(path)
            tunnel(client, engine)

    listening = socket.create_server((address, 0))
    port: int = listening.getsockname()[1]
    listener = Listener(listening, pass_on)
    try:
        yield port
    finally:
        listener.close()
