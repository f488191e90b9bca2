"""Waits until nothing is left, and says meanwhile what is."""

import time
from collections.abc import Callable, Sequence

TIMEOUT = 124
"""The exit code of a wait that took too long, as that of timeout(1)."""
_LOOK_SECONDS, _SAY_SECONDS = 5.0, 30.0


def wait(
    left: Callable[[], Sequence[str] | None],
    say: Callable[[Sequence[str]], None],
    seconds: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Return whether it is over in time; `left` names what is left, and returns None at the end."""
    started = clock()
    said = float("-inf")
    while (names := left()) is not None:
        now = clock()
        if seconds is not None and now - started >= seconds:
            say(names)
            return False
        if now - said >= _SAY_SECONDS:
            say(names)
            said = now
        sleep(_LOOK_SECONDS if seconds is None else min(_LOOK_SECONDS, started + seconds - now))
    return True
