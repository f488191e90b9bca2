"""Who a job belongs to, noted for those who look when its gitlab-runner is gone."""

from executor.host.owner import own_container
from executor.notation.owner import Belonging
from executor.runner import notes

TYPE_CHECKING = False  # the name counts for checkers, and config needs no engine
if TYPE_CHECKING:
    from executor.engine.docker import Engine


def leave_owner(belonging: Belonging) -> None:
    """Leave the note beside the payload, in place of an earlier one.

    A disk that is full does not matter here: the job fails elsewhere, and with a better sentence.
    """
    if not belonging.temp_dir:
        return  # gitlab-runner always gives one; a person who tries a hook may not
    try:  # noqa: SIM105 (contextlib is slow to import)
        notes.leave(belonging.temp_dir, notes.OWNER, belonging.note())
    except OSError:
        pass


def in_container(engine: "Engine", belonging: Belonging, own: str | None = None) -> Belonging:
    """Return this with the container of the engine that gitlab-runner runs in; itself elsewhere.

    `own` is the container that this process seems to run in.  The engine is asked only where there is
    one, and knows nothing of it where it is another engine's.

    Raises EngineUnavailable.
    """
    container = own_container() if own is None else own
    if not container:
        return belonging
    running = {str(each.get("Id")): _network_mode(each) for each in engine.running_with()}
    # One that shares another's network has its files in /etc, and seems to be that one.
    if container not in running or f"container:{container}" in running.values():
        return belonging
    state = engine.inspect(container).get("State")
    started = str(state.get("StartedAt") or "") if isinstance(state, dict) else ""
    return belonging._replace(container=f"{container}@{started}") if started else belonging


def _network_mode(listed: dict[str, object]) -> str:
    host = listed.get("HostConfig")
    return str(host.get("NetworkMode")) if isinstance(host, dict) else ""
