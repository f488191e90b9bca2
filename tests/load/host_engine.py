"""An engine on this machine itself, with a data directory and a network namespace of its own.

Its bridges and iptables rules do not meet those of the rig's engine.  Its registries are the rig's,
over a pair of interfaces.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from executor.engine.api import Api
from executor.errors import EngineUnavailable
from tests.rig import runtime
from tests.rig.engine import search_path
from tests.rig.state import Rig
from tests.stages.conftest import Changes
from tests.stages.witness import eventually

_NAME, _MOST = "dindhost", 60
"""How its network namespace is called, and how many there may be at once: each has a number."""
_PREFIX, _LENGTH = "10.213.9", 30


class HostEngine:
    """An engine on a unix socket."""

    def __init__(self, socket: Path, wrapper: str) -> None:
        """Name its socket, and the runtime that a privileged container needs, if any."""
        self.host = f"unix://{socket}"
        self._wrapper = wrapper

    @property
    def changes(self) -> Changes:
        """Return the settings of jobs on it."""
        dind = {"runtime": self._wrapper, "privileged": True}
        return {"docker": {"host": self.host}, "dind": dind}


@contextlib.contextmanager
def host_engine(
    rig: Rig, directory: Path, data: Path, binary: str = "dockerd"
) -> Iterator[HostEngine]:
    """Run an engine whose data lie in a directory of this machine."""
    directory.mkdir(parents=True)
    wrapper = runtime.install()
    command = [
        binary,
        f"--data-root={data}",
        f"--exec-root={directory}/exec",
        f"--pidfile={directory}/pid",
        f"--host=unix://{directory}/s",
        *([f"--registry-mirror={rig.mirror}"] if rig.mirror else []),
        *([f"--add-runtime={wrapper.name}={wrapper.path}"] if wrapper else []),
    ]
    engine = HostEngine(directory / "s", wrapper.name if wrapper else "")
    with _namespace() as name, (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{name}", *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": search_path(Path(binary))},
        )
        try:
            eventually(lambda: _answers(engine.host), "the engine answers")
            yield engine
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _answers(host: str) -> bool:
    try:
        return Api(host).get("/_ping", timeout=5).ok
    except EngineUnavailable:
        return False


@contextlib.contextmanager
def _namespace() -> Iterator[str]:
    """Make a network namespace from which this machine's addresses can be reached; yield its name."""
    name, number = _free_name()
    here, there = (f"{_PREFIX}.{4 * number + each}" for each in (1, 2))
    inside = ("-n", name)
    try:
        _ip("link", "add", name, "type", "veth", "peer", "eth0", "netns", name)
        _ip("address", "add", f"{here}/{_LENGTH}", "dev", name)
        _ip("link", "set", name, "up")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "address", "add", f"{there}/{_LENGTH}", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip(*inside, "route", "add", "default", "via", here)
        yield name
    finally:
        _ip("netns", "delete", name)


def _free_name() -> tuple[str, int]:
    """Make a namespace of a name that nobody has; return it with its number."""
    for number in range(_MOST):
        name = f"{_NAME}{number}"
        made = subprocess.run(["ip", "netns", "add", name], check=False)
        if made.returncode == 0:
            return name, number
    raise AssertionError("no network namespace can be made")


def _ip(*arguments: str) -> Sequence[str]:
    subprocess.run(["ip", *arguments], check=True)
    return arguments
