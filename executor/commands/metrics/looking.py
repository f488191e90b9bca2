"""A look at something that may hang, such as an engine: whoever asks waits for a moment at most."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

FRESH_SECONDS = 15.0
"""After so long there is another look."""
STALE_SECONDS = 45.0
"""After so long a look counts no more, though the next one is under way."""
PATIENCE_SECONDS = 2.0
"""How long somebody waits for looks."""

Seen = TypeVar("Seen")


class Look(Generic[Seen]):
    """The last look at one thing; there is never more than one under way."""

    def __init__(
        self,
        look: Callable[[], Seen],
        fresh_seconds: float = FRESH_SECONDS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        """Take what looks; nothing is looked at yet."""
        self._look = look
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_under_way = False
        self._seen: Seen | None = None
        self._at: float | None = None

    def begin(self) -> None:
        """Look, unless that is under way or the last look still counts."""
        with self._lock:
            if self._is_under_way or self._is_younger(self._fresh_seconds):
                return
            self._is_under_way = True
            self._ended.clear()
        # A daemon: a look that hangs does not keep the process from ending.
        threading.Thread(target=self._run, daemon=True).start()

    def seen(self, deadline: float) -> Seen | None:
        """Return what was seen; None where the look fails, or hangs and the last one is too old.

        Nobody waits longer than until `deadline`, of `time.monotonic`.
        """
        self.begin()
        if self._is_under_way:
            self._ended.wait(max(deadline - time.monotonic(), 0.0))
        with self._lock:
            return self._seen if self._is_younger(self._stale_seconds) else None

    def _is_younger(self, seconds: float) -> bool:
        return self._at is not None and time.monotonic() - self._at < seconds

    def _run(self) -> None:
        seen: Seen | None = None
        try:
            seen = self._look()
        except Exception:  # noqa: BLE001 (whatever it is, there is nothing to show)
            seen = None
        finally:
            with self._lock:
                self._seen, self._at = seen, time.monotonic()
                self._is_under_way = False
            self._ended.set()
