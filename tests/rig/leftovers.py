"""What dind-executor has left on the engine: nothing, if all is well."""

from pathlib import Path

import docker
from docker.errors import APIError

from tests.rig.engine import connect
from tests.rig.paths import ADMINISTRATORS_LOG, LOGS
from tests.rig.say import RigError
from tests.rig.state import Rig

_LABEL = "dind-executor."
_JOB = "dind-executor.job"
_COUNT = "endpoint count"
"""What an engine before 29 complains of where it miscounts who is on a network."""
_LAST_LINES = 20
_Labelled = dict[str, object]


def leftovers(rig: Rig) -> list[str]:
    """Return what bears a label of dind-executor's, and was not there when the rig came up."""
    try:
        client = connect(rig.engine_host)
    except OSError as error:
        raise RigError(f"The engine at {rig.engine_host} is gone: {error}") from error
    with client:
        return [name for name in labelled(client) if name not in rig.before]


def labelled(client: docker.APIClient) -> list[str]:
    """Return every container, network and volume that bears a label of dind-executor's."""
    containers = client.containers(all=True)
    networks = client.networks()
    volumes = client.volumes()["Volumes"] or []
    found = [f"container {item['Names'][0].lstrip('/')}" for item in containers if _is_ours(item)]
    found += [f"network {item['Name']}" for item in networks if _is_ours(item)]
    return found + [f"volume {item['Name']}" for item in volumes if _is_ours(item)]


def engines_words(rig: Rig, name: str) -> list[str]:
    """Return what the engine knows of one of these, and what the logs said of it last.

    Of a network that can be removed nobody has asked for the removal: so that is tried too.
    """
    kind, _, called = name.partition(" ")
    with connect(rig.engine_host) as client:
        try:
            known: dict[str, object] = getattr(client, f"inspect_{kind}")(called)
        except APIError as error:
            return [f"The engine says: {error}"]
        if kind == "network":
            known["Removal"] = _removal(client, called)
    keys = ("Created", "CreatedAt", "Containers", "State", "Labels", "Removal")
    words = [f"{key}: {known[key]}" for key in keys if key in known]
    marks = [called, *([str(known["Id"])] if "Id" in known else [])]
    if kind == "network":
        marks.append(_COUNT)
    words += _last_lines(LOGS / "dockerd.log", marks)
    labels = known.get("Labels")
    job = labels.get(_JOB) if isinstance(labels, dict) else None
    return words + (_last_lines(rig.logs / ADMINISTRATORS_LOG, [str(job)]) if job else [])


def _removal(client: docker.APIClient, network: str) -> str:
    """Remove a network; return what the engine says to that."""
    try:
        client.remove_network(network)
    except APIError as error:
        return str(error)
    return "the engine removes it without a word"


def _last_lines(path: Path, marks: list[str]) -> list[str]:
    """Return the last lines of a log that have one of these marks."""
    said = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [line for line in said if any(mark in line for mark in marks)][-_LAST_LINES:]


def _is_ours(item: _Labelled) -> bool:
    labels = item.get("Labels")
    return isinstance(labels, dict) and any(str(key).startswith(_LABEL) for key in labels)
