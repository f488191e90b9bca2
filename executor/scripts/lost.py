"""What became of a container that a script can no longer run in.

Loaded only where one is lost.
"""

import calendar
import json
import time
from contextlib import suppress
from urllib.parse import quote

from executor.engine.api import Api
from executor.engine.wire import as_table
from executor.errors import ContainerLost, EngineUnavailable, EnvironmentLost

_SETTLE_SECONDS = 5.0
"""How long a container may take to count as ended once its streams are at their end."""
_EVENT_SECONDS = 5.0


def lost(api: Api, container: str, *, begun: bool) -> EnvironmentLost:
    """Return what became of a container, as an error.

    The exit code of one that nobody but its script has ended is that of the script, as under the
    Docker executor.
    """
    state = _settled(api, container)
    if not state or state.get("Status") in {"removing", "dead"}:
        return ContainerLost(
            f"The container {container} is gone: something removed it while the job ran"
            " (a prune on the host?).",
            begun=begun,
            removed=True,
        )
    if state.get("Running"):
        return EnvironmentLost(
            f"The Docker Engine lost the script that ran in {container}, which still runs: was the"
            " engine restarted, or the container paused? Run the job again."
        )
    if state.get("OOMKilled"):
        return ContainerLost(
            f"The container {container} was ended because it ran out of memory: let the job need"
            " less, or raise `[docker] memory`.",
            begun=begun,
        )
    code = state.get("ExitCode")
    if begun and isinstance(code, int) and code > 0 and _ended_by_itself(api, container, state):
        return ContainerLost(
            f"The script ended every process of its container {container}, with exit code {code}.",
            begun=True,
            exit_code=code,
        )
    return ContainerLost(
        f"The container {container} stopped while the job ran (exit code {code}): did the script"
        " end every process, or was the Docker Engine restarted?",
        begun=begun,
    )


def _settled(api: Api, container: str) -> dict[str, object]:
    """Return the state of a container; its end may be a moment later than that of its streams."""
    # It may run on; and of an engine that does not answer, the next request tells more.
    with suppress(EngineUnavailable):
        api.post(f"/containers/{container}/wait", timeout=_SETTLE_SECONDS)
    answer = api.get(f"/containers/{container}/json")
    return as_table(as_table(answer.json()).get("State")) if answer.ok else {}


def _ended_by_itself(api: Api, container: str, state: dict[str, object]) -> bool:
    """Tell whether a container ended without the engine's or the kernel's doing.

    The engine notes each signal that it sends.  One that was restarted has forgotten the end itself.
    """
    try:
        began, ended = (_seconds(state[key]) for key in ("StartedAt", "FinishedAt"))
    except (KeyError, ValueError):
        return False
    kinds = {"type": ["container"], "container": [container], "event": ["die", "kill", "oom"]}
    query = f"since={began}&until={ended + 1}&filters={quote(json.dumps(kinds))}"
    pending = b""
    with suppress(EngineUnavailable, OSError, ValueError):
        _, pieces = api.stream(f"/events?{query}", {}, idle_seconds=_EVENT_SECONDS, method="GET")
        for piece in pieces:
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                what = as_table(json.loads(line)).get("Action") if line.strip() else None
                if what:
                    return what == "die"
    return False


def _seconds(moment: object) -> int:
    """Return a time of the engine's in whole seconds since 1970."""
    return calendar.timegm(time.strptime(str(moment)[:19], "%Y-%m-%dT%H:%M:%S"))
