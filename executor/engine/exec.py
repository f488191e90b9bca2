"""Commands that run in a container beside its program: to ask it something, or to end something.

They never name a user.  An exec has the container's environment, in which PATH, LD_PRELOAD, ENV and
others are the author's, as may be the programs that they lead to: whatever is started this way may
do no more than the container's own user.  What it prints is not to be trusted either, nor its end.
"""

from collections.abc import Iterator

from executor.engine.api import Api
from executor.engine.wire import Reader, as_table


def succeeds(api: Api, container: str, command: tuple[str, ...], timeout_seconds: float) -> bool:
    """Tell whether a command ends with 0 in a container; False also where it cannot run.

    False also where it takes longer than `timeout_seconds`; it may go on in the container then.
    """
    begun = _begin(api, container, command)
    if begun is None:
        return False
    name, reader = begun
    reader.drain(timeout_seconds)
    state = api.get(f"/exec/{name}/json")
    return state.ok and as_table(state.json()).get("ExitCode") == 0


def output(api: Api, container: str, command: tuple[str, ...], seconds: float) -> Iterator[bytes]:
    """Yield what a command prints in a container, as `Reader.rest` does; nothing if it cannot run.

    The engine's frames are left as they are.
    """
    begun = _begin(api, container, command)
    if begun:
        yield from begun[1].rest(seconds)


def _begin(api: Api, container: str, command: tuple[str, ...]) -> tuple[str, Reader] | None:
    created = api.post(
        f"/containers/{container}/exec",
        # Without its output, the start of an exec is answered before the program's end.
        {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)},
    )
    name = as_table(created.json()).get("Id") if created.ok else None
    if not name:
        return None
    answer, reader = api.hijack(f"/exec/{name}/start", {"Detach": False, "Tty": False})
    return (str(name), reader) if answer.ok else None
