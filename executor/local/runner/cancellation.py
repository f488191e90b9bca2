"""Who stops what: a cancellation is asked for once, and everything that waits hears of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Something that can be called off; a child is called off with its parent."""

    def __init__(self, parent: "Cancellation | None" = None) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._reason = ""
        if parent is not None:
            parent.on_call_off(lambda: self.call_off(parent.reason))

    @property
    def reason(self) -> str:
        """Why; empty as long as nobody asked."""
        return self._reason

    def call_off(self, reason: str) -> None:
        """Ask for it. The first reason stays."""
        with self._lock:
            if self._reason:
                return
            self._reason = reason
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def on_call_off(self, listener: Callable[[], None]) -> None:
        """Have a function called when it is asked for, at once if that is already so."""
        with self._lock:
            if not self._reason:
                self._listeners.append(listener)
                return
        listener()

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """Have a function called as long as the block lasts."""
        self.on_call_off(listener)
        try:
            yield
        finally:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)


@contextmanager
def limited(cancellation: Cancellation, seconds: float, reason: str) -> Iterator[None]:
    """Have something called off when the block takes longer than this; 0 seconds: never."""
    timer = threading.Timer(seconds, cancellation.call_off, (reason,))
    timer.daemon = True
    if seconds:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


class JobCancellation:
    """How one job is called off: its script alone, or all of it; and with how much patience."""

    def __init__(self) -> None:
        self.whole = Cancellation()
        self.hurry = Cancellation()
        self._script: Cancellation | None = None
        self._lock = threading.Lock()

    def begin_script(self) -> Cancellation:
        """Return what cancels the script; from now on `cancel` means no more than that."""
        script = Cancellation(self.whole)
        with self._lock:
            self._script = script
        return script

    def cancel(self, reason: str) -> None:
        """Cancel as GitLab does: what follows a script, after_script and uploads, still runs."""
        with self._lock:
            target = self._script or self.whole
        target.call_off(reason)

    def abort(self, reason: str) -> None:
        """Stop everything but cleanup, without patience."""
        self.whole.call_off(reason)
        self.hurry.call_off(reason)
