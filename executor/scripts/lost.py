"""What became of a container that a script can no longer run in.

Loaded only where one is lost.
"""

from executor.engine.docker import Engine
from executor.errors import ContainerLost, EnvironmentLost

_SETTLE_SECONDS = 5.0
"""How long a container may take to count as ended once its streams are at their end."""


def lost(engine: Engine, container: str, *, begun: bool) -> EnvironmentLost:
    """Return what became of a container, as an error.

    The exit code of one that nobody but its script has ended is that of the script, as under the
    Docker executor.
    """
    state = engine.wait_for_exit(container, _SETTLE_SECONDS)
    if not state or state.get("Status") in {"removing", "dead"}:
        return ContainerLost(
            f"Something removed the container {container} while the job ran: check the host"
            " for `docker rm` and `docker container prune`.",
            begun=begun,
            removed=True,
        )
    if state.get("Running"):
        return EnvironmentLost(
            f"The connection to the script in {container} broke, but the container is still"
            " running. Was the Docker Engine restarted, or the container paused? Retry the"
            " job."
        )
    if state.get("OOMKilled"):
        return ContainerLost(
            f"The container {container} ran out of memory and was killed. Make the job use"
            " less memory, or raise `[docker] memory`.",
            begun=begun,
        )
    code = state.get("ExitCode")
    if begun and isinstance(code, int) and code > 0 and engine.exited_by_itself(container, state):
        return ContainerLost(
            (
                f"The script ended every process of its container {container}, with exit code"
                f" {code}. Signal only processes that the script started."
            ),
            begun=True,
            exit_code=code,
        )
    return ContainerLost(
        f"The container {container} stopped while the job ran (exit code {code}). Did the"
        " script end every process, or was the Docker Engine restarted? Retry the job.",
        begun=begun,
    )
