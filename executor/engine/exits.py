"""How a container ended."""

import calendar
import time
from contextlib import suppress

from executor.engine.api import Api
from executor.engine.streams import stream
from executor.engine.wire import as_table, quote
from executor.errors import EngineUnavailable
from executor.quick_json import dumps, loads

_EVENT_SECONDS = 10.0
_LATE_SECONDS = 5
"""How long after a container's end a busy engine may note it: first it waits for the output (2 s)."""


def wait_for_exit(api: Api, container: str, seconds: float) -> dict[str, object]:
    """Return the state of a container once it has ended, or after `seconds`; empty if it is gone.

    It may run on; and of an engine that does not answer, the next request tells more.
    """
    with suppress(EngineUnavailable):
        api.post(f"/containers/{container}/wait", timeout=seconds)
    answer = api.get(f"/containers/{container}/json")
    return as_table(as_table(answer.json()).get("State")) if answer.ok else {}


def exited_by_itself(api: Api, container: str, state: dict[str, object]) -> bool:
    """Tell whether a container ended without the engine's or the kernel's doing.

    The engine notes each signal that it sends.  One that was restarted has forgotten the end itself.
    """
    try:
        began, ended = (_seconds(state[key]) for key in ("StartedAt", "FinishedAt"))
    except (KeyError, ValueError):
        return False
    kinds = {"type": ["container"], "container": [container], "event": ["die", "kill", "oom"]}
    query = f"since={began}&until={ended + _LATE_SECONDS}&filters={quote(dumps(kinds))}"
    pending = b""
    with suppress(EngineUnavailable, OSError, ValueError, RecursionError):
        path = f"/events?{query}"
        _, pieces = stream(api, path, idle_seconds=_EVENT_SECONDS, method="GET")
        for piece in pieces:
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                what = as_table(loads(line)).get("Action") if line.strip() else None
                if what:
                    return what == "die"
    return False


def _seconds(moment: object) -> int:
    """Return a time of the engine's in whole seconds since 1970."""
    return calendar.timegm(time.strptime(str(moment)[:19], "%Y-%m-%dT%H:%M:%S"))
