"""Commands that answer a question about a container from within it, by their exit status."""

from executor.engine.api import Api


def succeeds(api: Api, container: str, command: tuple[str, ...]) -> bool:
    """Tell whether a command ends with 0 in a container; False also where it cannot run."""
    created = api.post(
        f"/containers/{container}/exec",
        # Without its output, the start of an exec is answered before the program's end.
        {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)},
    )
    found = created.json() if created.ok else None
    if not isinstance(found, dict):
        return False
    name = found.get("Id")
    if not api.post(f"/exec/{name}/start", {"Detach": False}).ok:
        return False
    state = api.get(f"/exec/{name}/json")
    answer = state.json() if state.ok else None
    return isinstance(answer, dict) and answer.get("ExitCode") == 0
