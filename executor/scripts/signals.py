"""Signals for what a script started in its container."""

from executor.engine.api import Api
from executor.engine.exec import output
from executor.engine.wire import as_table
from executor.shell.processes import signaller

_SECONDS = 5.0


def signal_script(api: Api, container: str, signal: str) -> None:
    """Signal all that a script started in `container`; a container that is gone is fine.

    Processes of users whom the container's own may not signal stay as they are.
    """
    answer = api.get(f"/containers/{container}/json")
    host = as_table(as_table(answer.json()).get("HostConfig")) if answer.ok else {}
    shares_pids = host.get("PidMode") not in {None, "", "private"}
    for _ in output(api, container, signaller(signal, shares_pids=shares_pids), _SECONDS):
        pass
