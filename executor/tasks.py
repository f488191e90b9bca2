"""Things that go on at the same time: a task starts at once, and its result is waited for.

A task that needs another one's result asks for it; so pulls, networks, certificates and
containers go as parallel as their dependencies allow, without a scheduler.
"""

import _thread
from _collections_abc import Callable

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """What `typing.Generic` is to a process: a name with another one behind it."""

        def __class_getitem__(cls, _name: object) -> type:
            return cls


class Task(Generic[T]):
    """A function that runs in a thread of its own from the moment this exists."""

    def __init__(self, function: Callable[[], T]) -> None:
        """Start `function`."""
        self._function = function
        self._error: BaseException | None = None
        self._value: T
        self._under_way = _thread.allocate_lock()
        self._under_way.acquire()
        # Not `threading.Thread`: a signal in the middle of its `start` leaves half a thread. And
        # a stage that was told to end does not wait for a registry.
        _thread.start_new_thread(self._run, ())

    def result(self) -> T:
        """Wait for the end; return what the function returned, or raise what it raised."""
        with self._under_way:
            pass
        if self._error is not None:
            raise self._error
        return self._value

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 (raised again where the result is asked for)
            self._error = error
        finally:
            self._under_way.release()
