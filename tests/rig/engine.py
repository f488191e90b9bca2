"""The Docker Engine that is there, or one of our own, started by hand on a socket of its own."""

import hashlib
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from tests.rig import processes
from tests.rig.directories import remove
from tests.rig.paths import ENGINE_DATA, RUN, SOCKET, WORK
from tests.rig.runtime import Wrapper
from tests.rig.say import RigError, step

PROCESS = "dockerd"
_SYSTEM_SOCKET = "unix:///var/run/docker.sock"
_NEWEST_API = (1, 45)
_EXEC_ROOT = RUN / "engine"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    host: str
    version: str
    ours: bool


def connect(host: str) -> docker.APIClient:
    """Return a client that speaks a version which both sides know."""
    with docker.APIClient(base_url=host, version="1.24", timeout=20) as probe:
        known = str(probe.version(api_version=False)["ApiVersion"])
    major, minor = (int(part) for part in known.split("."))
    version = min((major, minor), _NEWEST_API)
    return docker.APIClient(base_url=host, version=f"{version[0]}.{version[1]}", timeout=600)


def answering(host: str) -> str | None:
    """Return the version of the engine behind this host, or None if none answers."""
    try:
        with connect(host) as client:
            return str(client.version()["Version"])
    except (DockerException, OSError, KeyError, ValueError):
        return None


def existing() -> Engine | None:
    """Return the engine that somebody else runs on this machine, if one answers."""
    for host in (os.environ.get("DOCKER_HOST"), _SYSTEM_SOCKET):
        if not host or host == f"unix://{SOCKET}":
            continue
        version = answering(host)
        if version is not None:
            if not host.startswith("unix://"):
                message = f"The engine at {host} is on another machine: unset DOCKER_HOST."
                raise RigError(message)
            return Engine(host, version, ours=False)
    return None


def ours() -> Engine | None:
    """Return the engine that the rig has started, if it still answers."""
    version = answering(f"unix://{SOCKET}") if processes.running(PROCESS) else None
    return None if version is None else Engine(f"unix://{SOCKET}", version, ours=True)


def start(mirror: str | None, wrapper: Wrapper | None) -> Engine:
    """Ensure that an engine of our own runs; Docker Hub is the mirror, if one is given."""
    running = ours()
    if running is not None:
        return running
    binary = Path(os.environ.get("DIND_EXECUTOR_RIG_DOCKERD", "dockerd"))
    end_remains()
    # Where the machine itself was cut off, a database may be torn: no engine starts on it.
    remove(_data_root(binary))
    WORK.mkdir(parents=True, exist_ok=True)
    configuration = {
        "hosts": [f"unix://{SOCKET}"],
        "data-root": str(_data_root(binary)),
        "exec-root": str(_EXEC_ROOT),
        "pidfile": str(RUN / "dockerd.pid"),
        "registry-mirrors": [mirror] if mirror else [],
        "runtimes": {wrapper.name: {"path": str(wrapper.path)}} if wrapper else {},
        **_ipv6(),
    }
    path = RUN / "daemon.json"
    path.write_text(json.dumps(configuration, indent=1), encoding="utf-8")
    SOCKET.unlink(missing_ok=True)
    (RUN / "dockerd.pid").unlink(missing_ok=True)
    with step(f"Starting {binary} on {SOCKET}"):
        command = [str(binary), "--config-file", str(path)]
        processes.start(PROCESS, command, {"PATH": search_path(binary)})
        return _await_answer()


def end_remains() -> None:
    """End containerd and its shims where our engine was killed: the next one would wait for them."""
    for pid in processes.mentioning(f"{_EXEC_ROOT}/containerd"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    (_EXEC_ROOT / "containerd" / "containerd.pid").unlink(missing_ok=True)


def _ipv6() -> dict[str, object]:
    """Return what keeps networks apart over IPv6 in an engine before 27, where the kernel can."""
    try:
        looked = subprocess.run(
            ["ip6tables", "-t", "nat", "-S"],
            env={"PATH": search_path()},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return {}
    return {"experimental": True, "ip6tables": True} if looked.returncode == 0 else {}


def search_path(binary: Path | None = None) -> str:
    """Return the PATH for our engine: an engine of another generation brings its own runc."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    chosen = binary or Path(os.environ.get("DIND_EXECUTOR_RIG_DOCKERD", "dockerd"))
    return f"{chosen.parent}:{path}" if chosen.is_absolute() else path


def stop() -> bool:
    """End our engine with everything in it, and return whether there was one."""
    engine = ours()
    if engine is not None:
        with suppress(DockerException):
            _empty(engine)
    return processes.stop(PROCESS)


def _empty(engine: Engine) -> None:
    """Remove everything but the images; what does not go, goes with the engine's directory."""
    with connect(engine.host) as client:
        for container in client.containers(all=True, quiet=True):
            with suppress(DockerException):
                client.remove_container(container["Id"], force=True, v=True)
        client.prune_networks()  # type: ignore[no-untyped-call]
        for volume in client.volumes()["Volumes"] or []:
            with suppress(DockerException):
                client.remove_volume(volume["Name"], force=True)


def _await_answer(timeout_seconds: float = 60) -> Engine:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and processes.running(PROCESS) is not None:
        engine = ours()
        if engine is not None:
            return engine
        time.sleep(0.1)
    processes.stop(PROCESS)
    raise processes.fail(PROCESS, "The engine does not come up.")


def _data_root(binary: Path) -> Path:
    """Return a place for each engine: none reads what a newer one has left."""
    if not binary.is_absolute():
        return ENGINE_DATA
    return ENGINE_DATA.with_name(f"engine-{hashlib.sha256(bytes(binary)).hexdigest()[:8]}")
