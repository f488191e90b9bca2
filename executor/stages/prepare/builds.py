"""Looks whether the sources that a job would fetch into are another job's at the moment.

A runner gives a slot to one job at a time.  But a job whose cleanup never came is still there, and
two processes of gitlab-runner with one token on one engine know nothing of each other.
"""

import json
from urllib.parse import quote

from executor.engine.api import Api
from executor.log import say
from executor.names import LABEL
from executor.plan.inputs import Inputs


def builds_are_taken(api: Api, inputs: Inputs) -> bool:
    """Tell whether another job uses the builds directory that this one would find again."""
    builds = inputs.volumes.builds
    if not builds.lasts:
        return False  # they go with the job anyway, or are the administrator's own
    others = _running_with(api, builds.source) - {inputs.names.key}
    if others:
        say(
            f"WARNING: The job {min(others).partition('-')[0]} still uses the sources of this"
            " slot: these are cloned anew, and not kept."
        )
    return bool(others)


def _running_with(api: Api, source: str) -> set[str]:
    """Return the keys of the jobs that have running containers with a volume or directory."""
    filters = quote(json.dumps({"volume": [source], "status": ["running"]}))
    answer = api.get(f"/containers/json?filters={filters}")
    decoded = answer.json() if answer.ok else None
    found = decoded if isinstance(decoded, list) else []
    return {str(each["Labels"][LABEL]) for each in found if LABEL in (each.get("Labels") or {})}
