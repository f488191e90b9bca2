"""What runs on the engine, and what is there of jobs."""

import json
from urllib.parse import quote

from executor.engine.api import Api
from executor.errors import EngineRefused
from executor.names import LABEL

_KINDS = {
    "container": "/containers/json?all=1&filters=",
    "network": "/networks?filters=",
    "volume": "/volumes?filters=",
}


def running_with(api: Api, source: str = "") -> list[dict[str, object]]:
    """Return the running containers, or those that have a volume or a directory of the host."""
    wanted = {"volume": [source]} if source else {}
    filters = quote(json.dumps({**wanted, "status": ["running"]}))
    answer = api.get(f"/containers/json?filters={filters}")
    decoded = answer.json() if answer.ok else None
    return decoded if isinstance(decoded, list) else []


def belongings(api: Api) -> list[tuple[str, dict[str, object]]]:
    """Return every object of every job as the engine lists it, with its kind.

    Raises EngineRefused where it does not list one of the kinds: part of a list is none.
    """
    filters = quote(json.dumps({"label": [LABEL]}))
    return [
        (kind, each) for kind, path in _KINDS.items() for each in _all(api, kind, path + filters)
    ]


def _all(api: Api, kind: str, path: str) -> list[dict[str, object]]:
    answer = api.get(path)
    if not answer.ok:
        raise EngineRefused(f"The Docker Engine cannot list the {kind}s of jobs: {answer.message}.")
    listed = answer.json()
    if kind == "volume" and isinstance(listed, dict) and "Volumes" in listed:
        listed = listed["Volumes"] or []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise EngineRefused(f"The Docker Engine's list of the {kind}s of jobs cannot be read.")
    return listed
