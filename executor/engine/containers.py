"""Containers as they are created, started and removed.

Loaded only where that happens: most scripts run in a container that stands.
"""

from collections.abc import Mapping

from executor.engine.api import TIMEOUT_SECONDS, VOLUME_SECONDS, Api
from executor.engine.handover import Started, StartedKeeper, StartedReceiver
from executor.engine.wire import Answer, quote
from executor.errors import EngineUnavailable, EnvironmentLost
from executor.names import removal_query
from executor.spec import ContainerSpec

_HANDOVER_SECONDS = 120.0
"""How long a container may take to take what it is sent, and its entrypoint to hand over."""

_END_SECONDS = 5.0

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
    if spec.link:
        from executor.engine.links import make_link  # noqa: PLC0415 (for few images only)

        make_link(api, spec.name, spec.link)


def start(api: Api, spec: ContainerSpec, *, asks: bool = True) -> Started | None:
    """Start a container; return what sends it its files, if it gets any."""
    path = f"/containers/{spec.name}/start"
    if not spec.receives:
        _check(spec, api.post(path, timeout=VOLUME_SECONDS))
        return None
    streams = "stdin=1&stdout=1" + "&stderr=1" * spec.runs_scripts
    answer, reader = api.hijack(f"/containers/{spec.name}/attach?stream=1&{streams}")
    _check(spec, answer)
    try:
        _check(spec, api.post(path, timeout=VOLUME_SECONDS))
    except BaseException:
        reader.socket.close()
        raise
    if spec.runs_scripts:
        return StartedKeeper(
            spec,
            reader,
            _HANDOVER_SECONDS,
            asks=asks,
            exit_code=lambda: exit_code(api, spec.name),
            dropped=lambda: has_dropped(api, spec.name),
        )
    return StartedReceiver(spec, reader, _HANDOVER_SECONDS)


def exit_code(api: Api, container: str) -> int | None:
    """Return with which exit code a container's program ended by itself; None where it runs on.

    Raises EngineUnavailable where the engine does not answer, and EnvironmentLost where something
    else ended the container.
    """
    from executor.engine.exits import exited_by_itself, wait_for_exit  # noqa: PLC0415 (rarely needed)

    state = wait_for_exit(api, container, _END_SECONDS)
    if state.get("Running"):
        return None
    code = state.get("ExitCode")
    if not isinstance(code, int):
        raise EnvironmentLost(
            f"Something removed the container {container} before it was ready: check the host for"
            " `docker rm` and `docker container prune`. Retry the job."
        )
    if not exited_by_itself(api, container, state):
        raise EnvironmentLost(
            f"The container {container} was ended before it was ready (exit code {code}). Did it"
            " run out of memory, or was the Docker Engine restarted? Retry the job."
        )
    return code


def has_dropped(api: Api, container: str) -> bool:
    """Tell whether nothing in a container can start the keeper any more, as far as it is known."""
    from executor.engine.exec import output  # noqa: PLC0415 (for few images only)
    from executor.engine.frames import Frames, Pieces  # noqa: PLC0415
    from executor.shell.entrypoints import lister, may_hand_over  # noqa: PLC0415

    listed: list[bytes] = []

    def take(_descriptor: int, data: bytes) -> bool:
        listed.append(data)
        return False

    try:
        Frames(Pieces(output(api, container, lister(), _END_SECONDS)), take).copy()
    except EngineUnavailable:
        return False
    return not may_hand_over(b"".join(listed))


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
    from executor.engine.start_failures import create_failure  # noqa: PLC0415 (after a failure only)

    told = (spec.name, spec.image, answer.status, answer.message)
    raise create_failure(*told, runs_scripts=spec.runs_scripts)
