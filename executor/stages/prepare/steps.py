"""What prepare does at the engine: one step after another, each noted, none after the stage's end."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from executor.engine.gate import Gate
from executor.log import AdministratorLog

T = TypeVar("T")


class Steps:
    """The steps of one prepare call; safe to use from many threads."""

    def __init__(self, log: AdministratorLog) -> None:
        """Begin with none."""
        self.log = log
        self._gate = Gate()

    def do(self, event: str, function: Callable[[], T], **facts: str) -> T:
        """Do one thing at the engine, and note it and its seconds in the administrator's log.

        Raises Cancelled where the stage is at its end.
        """
        started = time.monotonic()
        with self._gate.passing():
            result = function()
        self.log.done(event, started, **facts)
        return result

    def passing(self) -> AbstractContextManager[None]:
        """Return the context of a step that is noted later; see `Gate.passing`."""
        return self._gate.passing()

    def close(self) -> bool:
        """Let nothing new begin, and wait for what is under way at the engine; see `Gate.close`."""
        return self._gate.close()
