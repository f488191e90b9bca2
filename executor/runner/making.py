"""Three notes by which the making of a job's objects and their removal know of each other.

The engine finishes a request whose sender is gone, perhaps after cleanup has looked.
"""

from _collections_abc import Callable

from executor.runner import notes


class Making:
    """Lets cleanup know until nothing is under way at the engine any more.

    Without its note cleanup has nothing to wait for.
    """

    __slots__ = ("_close", "_temp_dir")

    def __init__(self, temp_dir: str, close: Callable[[], bool]) -> None:
        """Take what ends the making: it tells whether nothing is under way any more.

        Where `close` cannot tell that, cleanup goes on to know, as it does where this process is
        killed (see `engine.gate.Gate`).
        """
        self._temp_dir = temp_dir
        self._close = close

    def __enter__(self) -> None:
        """Leave the note."""
        notes.leave(self._temp_dir, notes.UNFINISHED)

    def __exit__(self, *_error: object) -> None:
        """Forget it, where nothing can appear any more."""
        if self._close():
            notes.forget(self._temp_dir, notes.UNFINISHED)


def begin_making(temp_dir: str) -> None:
    """Say that prepare makes things from now on; takes back what `end_making` said."""
    notes.leave(temp_dir, notes.MADE)
    notes.forget(temp_dir, notes.OVER)


def end_making(temp_dir: str) -> None:
    """Say that cleanup has begun; to be called before `may_appear`."""
    try:  # noqa: SIM105 (contextlib is slow to import)
        notes.leave(temp_dir, notes.OVER)
    except OSError:
        pass  # without its directory the job has no `run` call that could make something


def may_appear(temp_dir: str) -> bool:
    """Tell whether something is being made for this job, or may still appear."""
    return notes.is_left(temp_dir, notes.UNFINISHED)


def may_be_there(temp_dir: str) -> bool:
    """Tell whether there may be something to remove: prepare came to `begin_making`."""
    return notes.is_left(temp_dir, notes.MADE)


def is_over(temp_dir: str) -> bool:
    """Tell whether cleanup has begun; to be called inside of `Making`."""
    return notes.is_left(temp_dir, notes.OVER)
