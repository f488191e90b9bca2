"""What an engine says of itself: it looks at much for that, and is asked once by each stage."""

from executor.engine.api import TIMEOUT_SECONDS, Api
from executor.engine.wire import as_table


def info(api: Api, seconds: float = TIMEOUT_SECONDS) -> dict[str, object]:
    """Return what the engine says of itself; nothing where it refuses, and it is asked again then.

    Raises EngineUnavailable.
    """
    if not api.info:
        answer = api.get("/info", timeout=seconds)
        if answer.ok:
            api.info = as_table(answer.json())
    return api.info
