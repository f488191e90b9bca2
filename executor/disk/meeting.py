"""Where the jobs of a host tell each other what they have written, and one says that it ends.

One small file for each job that has something to tell, locked for as long as its stage lives: what
a dead one left counts for nothing.  Whoever ends holds the lock of its file system while it decides
and says so.  File systems are what is shared, and not engines: two may fill one disk, and one may be
known by several addresses.

In memory, not in the state directory: while a disk fills, whoever writes to it waits for it.
"""

import fcntl
import os
from contextlib import suppress
from errno import EPERM, ESTALE

from executor.disk.limits import Ending, Written
from executor.log import write_through
from executor.quick_json import dumps, loads

DIRECTORY = "/run/dind-executor"
"""Root's own, as only root sees what jobs write."""

_PREFIX, _SUFFIX = "writes-", ".json"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_OTHERS_WRITE = 0o022
_MOST_BYTES = 4096
_PLACE_OF_TIME = Written._fields.index("at") - 1


class Meeting:
    """The jobs of this host; to be closed."""

    def __init__(self, directory: str, key: str) -> None:
        """Join.  Raises OSError, also where somebody else may write to the directory."""
        self._key = key
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)  # noqa: PTH102
        self._directory = os.open(
            directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
        )
        self._own = -1
        told = os.fstat(self._directory)
        if told.st_uid != os.geteuid() or told.st_mode & _OTHERS_WRITE:
            os.close(self._directory)
            raise OSError(EPERM, f"others than root may write to {directory}")

    def close(self) -> None:
        """Leave, and say nothing more."""
        self.leave()
        if self._own >= 0:
            os.close(self._own)
        os.close(self._directory)

    def leave(self) -> None:
        """Be heard by nobody any more; safe to call while another thread is at it."""
        if self._own >= 0:
            with suppress(OSError):
                os.unlink(self._name(self._key), dir_fd=self._directory)

    def tell(self, written: Written) -> None:
        """Say what the own job has written.  Raises OSError."""
        if self._own < 0:
            self._own = self._owned()
        _write(self._own, list(written))

    def others(self) -> tuple[Written, ...]:
        """Return what the other jobs say that still go on.  Raises OSError."""
        own = self._name(self._key)
        names = [
            each
            for each in os.listdir(self._directory)  # noqa: PTH208
            if each.startswith(_PREFIX) and each.endswith(_SUFFIX) and each != own
        ]
        return tuple(told for each in names if (told := self._told(each)))

    def last_ending(self, held: int) -> Ending | None:
        """Return which job ended last; `held` is what `hold` has returned."""
        found = _read(held)
        if len(found) == len(Ending._fields) and isinstance(found[1], int | float):
            return Ending(str(found[0]), float(found[1]))
        return None

    def hold(self, device: int) -> int:
        """Take the lock of a file system; return its descriptor, -1 where another has it.

        Raises OSError.
        """
        descriptor = self._opened(f"{_PREFIX}{device}.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return -1
        return descriptor

    def end(self, held: int, ending: Ending) -> None:
        """Say that the own job ends.  Raises OSError."""
        _write(held, list(ending))

    def _owned(self) -> int:
        """Return the own file, locked."""
        descriptor = self._opened(self._name(self._key))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.fstat(descriptor).st_nlink > 0
        except OSError:
            os.close(descriptor)
            raise
        if is_there:
            return descriptor
        os.close(descriptor)
        raise OSError(ESTALE, "another job took it for a dead one's")

    def _told(self, name: str) -> Written | None:
        """Return what a job says of itself; None where it has ended."""
        try:
            descriptor = os.open(
                name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._directory
            )
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _written(_read(descriptor))
        else:
            # Nobody holds it any more.
            with suppress(OSError):
                os.unlink(name, dir_fd=self._directory)
            return None
        finally:
            os.close(descriptor)

    def _opened(self, name: str) -> int:
        return os.open(name, _FLAGS, 0o600, dir_fd=self._directory)

    def _name(self, key: str) -> str:
        return f"{_PREFIX}{key}{_SUFFIX}"


def _written(found: list[object]) -> Written | None:
    """Return what a file says; None where a job is only at its first words."""
    numbers = [each for each in found[1:] if isinstance(each, int | float)]
    if len(numbers) != len(Written._fields) - 1:
        return None
    at = numbers.pop(_PLACE_OF_TIME)
    device, size, inodes, free_bytes, free_inodes = map(int, numbers)
    return Written(str(found[0]), device, size, inodes, at, free_bytes, free_inodes)


def _write(descriptor: int, values: list[object]) -> None:
    """Write in one call, in place: whoever reads sees all of it, and a full disk has room for it."""
    text = dumps(values).encode()
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_through(descriptor, text.ljust(_MOST_BYTES // 8))


def _read(descriptor: int) -> list[object]:
    try:
        found = loads(os.pread(descriptor, _MOST_BYTES, 0) or b"[]")
    except (OSError, ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
