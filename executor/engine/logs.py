"""What a container printed, of which a job may have any amount."""

import time
from collections.abc import Callable

from executor.engine.api import Api
from executor.engine.frames import Frames, Pieces
from executor.engine.streams import stream
from executor.engine.wire import Answer, joined
from executor.errors import EngineRefused, EngineUnavailable
from executor.shell.greetings import is_ours

MOST_BYTES = 64 * 1024

Take = Callable[[int, bytes], bool]
"""Takes what was printed, and by which descriptor; tells whether it has enough."""

_SECONDS = 30.0
_REFUSED = 400
"""From this status on, an answer says why there is no log."""


def last_output(api: Api, container: str, lines: int, *, timestamps: bool = False) -> str:
    """Return a container's last lines, at most 64 KiB of them.

    What has come within 30 seconds has to do.  Raises EngineRefused with the engine's own words
    where it has no log of the container, and EngineUnavailable where nothing answers.
    """
    kept = bytearray()
    deadline = time.monotonic() + _SECONDS

    def take(_descriptor: int, data: bytes) -> bool:
        if not _is_ours(container, data, timestamps=timestamps):
            kept.extend(data)
        del kept[: -2 * MOST_BYTES]
        return time.monotonic() > deadline

    query = f"stdout=1&stderr=1&tail={lines}" + "&timestamps=1" * timestamps
    path = f"/containers/{container}/logs?{query}"
    status, pieces = stream(api, path, idle_seconds=_SECONDS, method="GET")
    try:
        if status >= _REFUSED:
            raise EngineRefused(Answer(status, {}, joined(pieces)).message)
        Frames(Pieces(pieces), take).copy()
    except (OSError, ValueError):
        pass  # the engine is slow, or broke off
    text = bytes(kept).strip()
    if len(text) > MOST_BYTES:
        text = text[-MOST_BYTES:].partition(b"\n")[2] or text[-MOST_BYTES:]
    return text.decode(errors="replace")


def copy_output(
    api: Api,
    container: str,
    take: Take,
    idle_seconds: float,
    *,
    since: str = "",
    until: str = "",
) -> None:
    """Pass what a container printed, each message with its time, to `take` until it has had enough.

    `since` and `until` are seconds since 1970, with a fraction; without `until`, what the container
    prints from now on follows.  Nobody is told what is missing because the engine refuses, breaks
    off, or is silent for longer than `idle_seconds`.
    """
    query = "stdout=1&stderr=1&timestamps=1"
    query += f"&since={since}" if since else ""
    query += f"&until={until}" if until else "&follow=1"

    def take_others(descriptor: int, data: bytes) -> bool:
        return not _is_ours(container, data, timestamps=True) and take(descriptor, data)

    try:
        path = f"/containers/{container}/logs?{query}"
        status, pieces = stream(api, path, idle_seconds=idle_seconds, method="GET")
        if status < _REFUSED:
            Frames(Pieces(pieces), take_others).copy()
    except (EngineUnavailable, OSError, ValueError):
        return


def _is_ours(container: str, data: bytes, *, timestamps: bool) -> bool:
    """Tell whether a message is what the receiver in front of a service said to us."""
    return is_ours(container, data.partition(b" ")[2] if timestamps else data)
