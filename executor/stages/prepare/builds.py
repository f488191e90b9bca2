"""Looks whether the sources that a job would fetch into are another job's at the moment.

A runner gives a slot to one job at a time.  But a job whose cleanup never came is still there, and
two processes of gitlab-runner with one token on one engine know nothing of each other.
"""

import json
from dataclasses import replace
from urllib.parse import quote

from executor.engine.api import Api
from executor.log import say
from executor.names import LABEL
from executor.plan.inputs import Request
from executor.plan.volumes import job_volumes


def free_builds(api: Api, request: Request) -> Request:
    """Return the request; its builds go with the job where those that last are in use."""
    elsewhere = replace(request, builds_are_taken=True)
    source = _builds_source(request)
    if source == _builds_source(elsewhere):
        return request  # they go with the job anyway, or are the operator's own
    others = _running_with(api, source) - {request.names.key}
    if not others:
        return request
    say(
        f"WARNING: The job {min(others).partition('-')[0]} still uses the sources of this"
        " slot: these are cloned anew, and not kept."
    )
    return elsewhere


def _builds_source(request: Request) -> str:
    """Return what is mounted for the builds: a volume's name, or a path on the engine's host."""
    (builds,) = (each for each in job_volumes(request).all if each.holds_builds)
    return builds.source


def _running_with(api: Api, source: str) -> set[str]:
    """Return the keys of the jobs that have running containers with a volume or directory."""
    filters = quote(json.dumps({"volume": [source], "status": ["running"]}))
    answer = api.get(f"/containers/json?filters={filters}")
    decoded = answer.json() if answer.ok else None
    found = decoded if isinstance(decoded, list) else []
    return {str(each["Labels"][LABEL]) for each in found if LABEL in (each.get("Labels") or {})}
