"""Lets requests to the engine begin until a stage ends, and waits for those under way then.

A request that the engine is working on cannot be taken back: were the stage to end meanwhile,
cleanup might look before the object exists.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from executor.errors import Cancelled

_LONGEST_SECONDS = 60.0


class Gate:
    """Open until `close`."""

    def __init__(self) -> None:
        """Begin open."""
        self._changed = threading.Condition()
        self._under_way = 0
        self._closed = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Do something at the engine inside this; raises Cancelled once the gate is closed."""
        with self._changed:
            if self._closed:
                raise Cancelled("the stage is at its end")
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing begin any more, and return when nothing is under way."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._under_way == 0, timeout=_LONGEST_SECONDS)
