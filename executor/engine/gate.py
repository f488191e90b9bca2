"""Lets requests to the engine begin until a stage ends, and waits for those under way then.

A request that the engine is working on cannot be taken back: were the stage to end meanwhile,
cleanup might look before the object exists.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from executor.errors import Cancelled, EngineUnavailable
from executor.tasks import Task

T = TypeVar("T")

_LONGEST_SECONDS = 60.0


class Gate:
    """Open until `close`."""

    def __init__(self) -> None:
        """Begin open."""
        self._changed = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._unanswered = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Do something at the engine inside this; raises Cancelled once the gate is closed."""
        with self._changed:
            if self._closed:
                raise Cancelled("the stage has ended")
            self._under_way += 1
        try:
            yield
        except EngineUnavailable:
            # Without an answer the engine may be at it all the same.
            self._unanswered = True
            raise
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def do(self, function: Callable[[], T]) -> T:
        """Pass, and return what `function` returns; a signal ends the waiting, not the request."""

        def pass_through() -> T:
            with self.passing():
                return function()

        return Task(pass_through).result()

    def close(self) -> bool:
        """Let nothing begin any more, and wait until nothing is under way.

        Tells whether that is so: the engine may be at a request for longer than we wait, or have
        given no answer.
        """
        with self._changed:
            self._closed = True
            is_idle = self._changed.wait_for(lambda: not self._under_way, timeout=_LONGEST_SECONDS)
        return is_idle and not self._unanswered
