"""Containers as they are created, started and removed.

Loaded only where that happens: most scripts run in a container that stands.
"""

from collections.abc import Mapping
from urllib.parse import quote

from executor.engine import failures
from executor.engine.api import TIMEOUT_SECONDS, VOLUME_SECONDS, Api
from executor.engine.handover import StartedKeeper, StartedReceiver
from executor.engine.wire import Answer
from executor.names import removal_query
from executor.spec import ContainerSpec

_HANDOVER_SECONDS = 120.0
"""How long a container may take to take what it is sent, and its entrypoint to hand over."""

_SWITCHES = 101
_NOT_FOUND = 404
_CONFLICT = 409


def create(api: Api, spec: ContainerSpec, request: object) -> None:
    """Create a container by what the engine is asked for; one of the same name is replaced."""
    platform = f"&platform={quote(spec.platform)}" if spec.platform else ""
    path = f"/containers/create?name={spec.name}{platform}"
    answer = api.post(path, request, timeout=VOLUME_SECONDS)
    if answer.status == _CONFLICT:
        remove(api, spec.name, spec.labels, VOLUME_SECONDS)
        answer = api.post(path, request, timeout=VOLUME_SECONDS)
    _check(spec, answer)


def start(api: Api, spec: ContainerSpec) -> StartedKeeper | StartedReceiver | None:
    """Start a container; return what sends it its files, if it gets any."""
    path = f"/containers/{spec.name}/start"
    if not spec.receives:
        _check(spec, api.post(path, timeout=VOLUME_SECONDS))
        return None
    streams = "stdin=1&stdout=1&stderr=1" if spec.runs_scripts else "stdin=1"
    answer, reader = api.hijack(f"/containers/{spec.name}/attach?stream=1&{streams}")
    _check(spec, answer)
    try:
        _check(spec, api.post(path, timeout=VOLUME_SECONDS))
    except BaseException:
        reader.socket.close()
        raise
    if spec.runs_scripts:
        return StartedKeeper(spec, reader, _HANDOVER_SECONDS)
    return StartedReceiver(spec, reader, _HANDOVER_SECONDS)


def remove(
    api: Api, container: str, labels: Mapping[str, object], seconds: float = TIMEOUT_SECONDS
) -> bool:
    """Remove a container with these labels and its volumes; tell whether there was none."""
    path = f"/containers/{container}?{removal_query(labels)}"
    return api.send("DELETE", path, timeout=seconds).status == _NOT_FOUND


def _check(spec: ContainerSpec, answer: Answer) -> None:
    """Raise what the engine's refusal means."""
    if answer.ok or answer.status == _SWITCHES:
        return
    told = (spec.name, spec.image, answer.status, answer.message)
    raise failures.create_failure(*told, runs_scripts=spec.runs_scripts)
