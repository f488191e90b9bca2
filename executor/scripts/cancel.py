"""Ends what a cancelled script leaves behind: its container, and those that it started in dind."""

from executor.engine.api import Api
from executor.engine.exec import output
from executor.errors import EngineUnavailable
from executor.names import removal_query
from executor.shell import given, program

_STOP_SECONDS = 5
"""How long a container in dind may take to end after SIGTERM."""
ENTRYPOINT_SECONDS = 3
"""How long an image's entrypoint may take to end after SIGTERM."""
_PATIENCE_SECONDS = 60.0
"""How long all of that may take: what runs in the sidecar may be a program of the job's."""


def remove_container(api: Api, name: str) -> None:
    """Remove a container whose script was cancelled; a later sub-stage makes it anew.

    The keeper and an image's entrypoint get SIGTERM first, as under the Docker executor.
    """
    try:
        api.post(f"/containers/{name}/stop?t={ENTRYPOINT_SECONDS}")
        answer = api.get(f"/containers/{name}/json")
        found = answer.json() if answer.ok else None
        config = found.get("Config") if isinstance(found, dict) else None
        labels = config.get("Labels") if isinstance(config, dict) else None
        api.delete(f"/containers/{name}?{removal_query(labels or {})}")
    except EngineUnavailable:
        return  # then the next script runs where the cancelled one did


def stop_inner_containers(api: Api, dind: str) -> int:
    """Stop what runs in the job's Docker daemon; return how many containers that were.

    Without a sidecar that runs, there is nothing to stop.
    """
    stop = given(_seconds=str(_STOP_SECONDS)) + program("stop_containers")
    try:
        said = output(api, dind, ("sh", "-c", stop), _PATIENCE_SECONDS)
        # Multiplexed or not, each container is a line.
        return sum(piece.count(b"\n") for piece in said)
    except EngineUnavailable:
        return 0
