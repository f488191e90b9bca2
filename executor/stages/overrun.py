"""The end of a job that fills the disk of all: seen while a script runs, told when it has ended.

Loaded by each `run` of a job whose disks are watched, so it loads little itself.
"""

import _thread
import time
from collections.abc import Callable

from executor.engine.docker import Engine
from executor.errors import DiskOverrun
from executor.log import AdministratorLog
from executor.names import JobNames
from executor.runner import notes

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from executor.disk.limits import Overrun
    from executor.disk.watch import Watch

_START_SECONDS = 0.3
"""How long a script runs before the watch is loaded beside it."""


def watch_disk(
    engine: Engine, names: JobNames, temp_dir: str, log: AdministratorLog
) -> Callable[[], None]:
    """Watch the disks in a thread; return what ends that, and raises DiskOverrun where the job ended.

    Raises DiskOverrun itself where an earlier script has ended the job.
    """
    if notes.is_left(temp_dir, notes.OVERRUN):
        raise DiskOverrun("The job was ended because it filled the disk: nothing more of it runs.")
    watching = _Watching(engine, names, temp_dir, log)
    _thread.start_new_thread(watching.watch, ())
    return watching.end


class _Watching:
    """The watch beside one script."""

    def __init__(
        self, engine: Engine, names: JobNames, temp_dir: str, log: AdministratorLog
    ) -> None:
        self._engine = engine
        self._names = names
        self._temp_dir = temp_dir
        self._log = log
        self._settling = _thread.allocate_lock()
        self._found: Overrun | None = None
        self._watch: Watch | None = None

    def watch(self) -> None:
        """Watch, and end the job if it is the one that fills the disk; raises nothing."""
        time.sleep(_START_SECONDS)
        try:
            from executor.disk.watch import Watch  # noqa: PLC0415 (beside the script)
            from executor.disk.watched import Watched  # noqa: PLC0415

            note = notes.read(self._temp_dir, notes.DISK)
            if note is not None:
                self._watch = Watch(self._engine, self._names, Watched.read(note), self._log)
                self._watch.follow(self._agree)
        except Exception as error:  # noqa: BLE001 (nothing of the watch's may end a script)
            self._log.event("disk not watched", error=f"unexpected {type(error).__name__}")

    def end(self) -> None:
        """End the watch; raises DiskOverrun where it has ended the job, of which nothing is left then."""
        self._settling.acquire()
        if self._watch:
            self._watch.leave()
        if self._found:
            from executor.disk.ending import overrun, remove  # noqa: PLC0415 (rarely needed)

            self._leave_note()
            gone = remove(self._engine, self._names, self._found, self._log)
            raise overrun(self._found, gone)

    def _agree(self, overrun: "Overrun") -> bool:
        """Take it that the job has to end; False where its script has ended before."""
        if not self._settling.acquire(blocking=False):
            return False
        self._found = overrun
        self._settling.release()
        # Beside the killing: while a disk fills, whoever writes to it waits for it.
        _thread.start_new_thread(self._leave_note, ())
        return True

    def _leave_note(self) -> None:
        try:  # noqa: SIM105 (contextlib is slow to import)
            notes.leave(self._temp_dir, notes.OVERRUN)
        except OSError:
            pass  # the disk of gitlab-runner's host is full, too
