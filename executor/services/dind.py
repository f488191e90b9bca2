"""What the dind sidecar is at the moment, and whether a script may rely on it."""

from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.names import TRANSPORT_LABEL
from executor.runner import notes


class Sidecar:
    """What the engine says of the sidecar right now."""

    __slots__ = ("address", "exit_code", "name", "oom_killed", "pid", "running", "started", "tls")

    def __init__(self, name: str, found: dict[str, object]) -> None:
        """Read an inspected container."""
        state = as_table(found.get("State"))
        labels = as_table(as_table(found.get("Config")).get("Labels"))
        networks = as_table(as_table(found.get("NetworkSettings")).get("Networks"))
        addresses = [str(as_table(each).get("IPAddress") or "") for each in networks.values()]
        self.name = name
        self.running = bool(state.get("Running"))
        self.started = str(state.get("StartedAt") or "")
        self.pid = state.get("Pid")
        self.exit_code = state.get("ExitCode")
        self.oom_killed = bool(state.get("OOMKilled"))
        self.tls = labels.get(TRANSPORT_LABEL) == "tls"
        self.address = next((each for each in addresses if each), "")


def find_sidecar(engine: Engine, name: str) -> Sidecar | None:
    """Return the sidecar, or None where the job has none."""
    found = engine.inspect(name, strict=True)
    return Sidecar(name, found) if found else None


def still_runs(sidecar: Sidecar | None, relied_on: str) -> bool:
    """Tell whether it is the sidecar that scripts rely on: `relied_on` is when that one had started.

    One that was started anew has neither the job's certificates, which were in memory, nor the
    containers that earlier scripts ran in it.
    """
    return bool(relied_on and sidecar and sidecar.running and sidecar.started == relied_on)


def start_relied_on(temp_dir: str) -> str:
    """Return when the sidecar had started beside which a script has begun; "" where none has."""
    left = notes.read(temp_dir, notes.ANSWERED) or notes.read(temp_dir, notes.LISTENED)
    return (left or b"").decode()


def is_ready(engine: Engine, name: str, temp_dir: str, timeout_seconds: float) -> bool:
    """Tell whether a script may start at once: beside the sidecar of an earlier one, or without any.

    Or beside one that listens, where that is enough; somebody watches then whether it answers within
    `timeout_seconds` of its start.  Raises EngineRefused where the engine cannot tell.
    """
    sidecar = find_sidecar(engine, name)
    relied_on = start_relied_on(temp_dir)
    if sidecar is None:
        return not relied_on
    if notes.is_left(temp_dir, notes.ANSWERED) or not notes.is_left(temp_dir, notes.DIND_STARTED):
        return still_runs(sidecar, relied_on)
    from executor.services.dind_early import may_begin_beside  # noqa: PLC0415 (once in a job)

    return may_begin_beside(engine, sidecar, temp_dir, timeout_seconds)
