"""What a container printed, of which a job may have any amount."""

import time
from collections.abc import Callable

from executor.engine.api import Api
from executor.engine.frames import Frames, Pieces
from executor.engine.streams import stream
from executor.engine.wire import Answer, joined
from executor.errors import EngineUnavailable

MOST_BYTES = 64 * 1024

_SECONDS = 30.0


def last_output(api: Api, container: str, lines: int, *, timestamps: bool = False) -> Answer:
    """Return a container's last lines as the body, at most 64 KiB of them; or the engine's refusal.

    What has come within 30 seconds has to do.  Raises EngineUnavailable where nothing answers.
    """
    kept = bytearray()
    deadline = time.monotonic() + _SECONDS

    def take(_descriptor: int, data: bytes) -> bool:
        kept.extend(data)
        del kept[: -2 * MOST_BYTES]
        return time.monotonic() > deadline

    query = f"stdout=1&stderr=1&tail={lines}" + "&timestamps=1" * timestamps
    path = f"/containers/{container}/logs?{query}"
    status, pieces = stream(api, path, idle_seconds=_SECONDS, method="GET")
    try:
        if status >= 400:  # noqa: PLR2004
            return Answer(status, {}, joined(pieces))
        Frames(Pieces(pieces), take).copy()
    except (OSError, ValueError):
        pass  # the engine is slow, or broke off
    text = bytes(kept).strip()
    if len(text) > MOST_BYTES:
        text = text[-MOST_BYTES:].partition(b"\n")[2] or text[-MOST_BYTES:]
    return Answer(status, {}, text)


def copy_output(
    api: Api, container: str, query: str, take: Callable[[int, bytes], bool], idle_seconds: float
) -> None:
    """Pass what a container printed to `take` until that has had enough; see `Frames`.

    `query` is the engine's, such as `stdout=1&follow=1`.  What is missing is missing in silence:
    where the engine refuses, breaks off, or is silent for longer than `idle_seconds`.
    """
    try:
        path = f"/containers/{container}/logs?{query}"
        status, pieces = stream(api, path, idle_seconds=idle_seconds, method="GET")
        if status < 400:  # noqa: PLR2004
            Frames(Pieces(pieces), take).copy()
    except (EngineUnavailable, OSError, ValueError):
        return
