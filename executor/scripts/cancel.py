"""Ends what a cancelled script leaves behind: its container, and those that it started in dind."""

from executor.engine.docker import Engine
from executor.errors import EngineUnavailable
from executor.shell import given, program
from executor.shell.processes import signaller

_STOP_SECONDS = 5
"""How long a container in dind may take to end after SIGTERM."""
ENTRYPOINT_SECONDS = 3
"""How long an image's entrypoint may take to end after SIGTERM."""
_SIGNAL_SECONDS = 5.0
_PATIENCE_SECONDS = 60.0
"""How long all of that may take: what runs in the sidecar may be a program of the job's."""


def remove_container(engine: Engine, name: str) -> None:
    """Remove a container whose script was cancelled; a later sub-stage makes it anew.

    The keeper and an image's entrypoint get SIGTERM first, as under the Docker executor.
    """
    try:
        engine.stop(name, ENTRYPOINT_SECONDS)
        config = engine.inspect(name).get("Config")
        labels = config.get("Labels") if isinstance(config, dict) else None
        engine.remove(name, labels or {})
    except EngineUnavailable:
        return  # then the next script runs where the cancelled one did


def stop_inner_containers(engine: Engine, dind: str) -> int:
    """Stop what runs in the job's Docker daemon; return how many containers that were.

    Without a sidecar that runs, there is nothing to stop.
    """
    stop = given(_seconds=str(_STOP_SECONDS)) + program("stop_containers")
    try:
        said = engine.output(dind, ("sh", "-c", stop), _PATIENCE_SECONDS)
        # Multiplexed or not, each container is a line.
        return sum(piece.count(b"\n") for piece in said)
    except EngineUnavailable:
        return 0


def signal_script(engine: Engine, container: str, signal: str) -> None:
    """Signal all that a script started in `container`; a container that is gone is fine.

    Processes that the container's own user may not signal stay as they are.
    """
    host = engine.inspect(container).get("HostConfig")
    mode = host.get("PidMode") if isinstance(host, dict) else None
    shares_pids = mode not in {None, "", "private"}
    command = signaller(signal, shares_pids=shares_pids)
    for _ in engine.output(container, command, _SIGNAL_SECONDS):
        pass
