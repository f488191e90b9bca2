"""What the dind sidecar is at the moment, and whether a script may rely on it."""

from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.errors import EngineRefused
from executor.names import TRANSPORT_LABEL
from executor.runner import notes


class Sidecar:
    """What the engine says of the sidecar right now."""

    __slots__ = ("address", "exit_code", "name", "out_of_memory", "running", "started", "tls")

    def __init__(self, name: str, found: dict[str, object]) -> None:
        """Read an inspected container."""
        state = as_table(found.get("State"))
        labels = as_table(as_table(found.get("Config")).get("Labels"))
        networks = as_table(as_table(found.get("NetworkSettings")).get("Networks"))
        addresses = [str(as_table(each).get("IPAddress") or "") for each in networks.values()]
        self.name = name
        self.running = bool(state.get("Running"))
        self.started = str(state.get("StartedAt") or "")
        self.exit_code = state.get("ExitCode")
        self.out_of_memory = bool(state.get("OOMKilled"))
        self.tls = labels.get(TRANSPORT_LABEL) == "tls"
        self.address = next((each for each in addresses if each), "")


def find_sidecar(engine: Engine, name: str) -> Sidecar | None:
    """Return the sidecar, or None where the job has none."""
    found = engine.inspect(name, strict=True)
    return Sidecar(name, found) if found else None


def still_runs(sidecar: Sidecar | None, answered: str) -> bool:
    """Tell whether it is the sidecar that has answered: `answered` is when that one had started.

    One that was started anew has neither the job's certificates, which were in memory, nor the
    containers that earlier scripts ran in it.
    """
    return bool(answered and sidecar and sidecar.running and sidecar.started == answered)


def start_that_answered(temp_dir: str) -> str:
    """Return when the sidecar had started that has answered; "" where none has."""
    return (notes.read(temp_dir, notes.ANSWERED) or b"").decode()


def is_ready(engine: Engine, name: str, temp_dir: str) -> bool:
    """Tell whether a script may start at once: its sidecar has answered and still runs, or none is.

    Raises EngineRefused where the engine cannot tell.
    """
    answered = start_that_answered(temp_dir)
    sidecar = find_sidecar(engine, name)
    return still_runs(sidecar, answered) or (sidecar is None and not answered)


def logs(engine: Engine, name: str, lines: int) -> str:
    """Return the last lines that a container printed; "" where the engine has no log of it."""
    try:
        return engine.last_output(name, lines)
    except EngineRefused:
        return ""
