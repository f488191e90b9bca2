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

_NAME = "dindhost"
_HERE, _THERE, _LENGTH = "10.213.9.1", "10.213.9.2", 30


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
    with _namespace(), (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{_NAME}", *command],
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
def _namespace() -> Iterator[None]:
    """Make a network namespace from which this machine's addresses can be reached."""
    inside = ("-n", _NAME)
    _ip("netns", "add", _NAME)
    try:
        _ip("link", "add", _NAME, "type", "veth", "peer", "eth0", "netns", _NAME)
        _ip("address", "add", f"{_HERE}/{_LENGTH}", "dev", _NAME)
        _ip("link", "set", _NAME, "up")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "address", "add", f"{_THERE}/{_LENGTH}", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip(*inside, "route", "add", "default", "via", _HERE)
        yield
    finally:
        _ip("netns", "delete", _NAME)


def _ip(*arguments: str) -> Sequence[str]:
    subprocess.run(["ip", *arguments], check=True)
    return arguments
