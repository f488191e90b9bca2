"""config.toml on disk: read, tried beside its place, put there in one step, and put back.

Nobody ever reads a part of it, and nobody but its owner reads it at all: it has tokens.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from executor.files import read_regular

MOST_BYTES = 4 * 1024 * 1024
_TRIED = ".config.toml.dind-executor"


class Busy(Exception):
    """Somebody else changes the file."""


class Changed(Exception):
    """The file is not what was read any more."""


class Written(NamedTuple):
    """What stands now."""

    path: Path
    backup: Path | None
    """What was there before; None where there was nothing."""
    content: bytes


class ConfigFile:
    """gitlab-runner's configuration, while it gets one more runner, or another token."""

    def __init__(self, path: Path) -> None:
        """Follow links: the file that they lead to is the one that is replaced."""
        self.given = path.absolute()
        self.path = Path(os.path.realpath(path))
        self.tried = self.path.with_name(_TRIED)
        """Where the new file stands before it counts."""
        self._read: bytes | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other calls that change it away; raises Busy, or OSError without the directory."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
            yield
        finally:
            os.close(descriptor)

    def read(self) -> str:
        """Return what is in it, "" where it is not there; raises OSError or UnicodeDecodeError."""
        try:
            self._read = read_regular(str(self.path), MOST_BYTES)
        except FileNotFoundError:
            self._read = None
        return (self._read or b"").decode()

    def left(self) -> str:
        """Return what a call of `register` that was killed has left beside it, or ""."""
        try:
            seen = os.lstat(self.tried)
            owners = {os.geteuid(), *(each.stat().st_uid for each in (self.path,) if each.exists())}
            if not stat.S_ISREG(seen.st_mode) or seen.st_uid not in owners:
                return ""
            return read_regular(str(self.tried), MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError):
            return ""

    def try_out(self, text: str) -> None:
        """Write a file beside it, with its owner, for others to look at; raises OSError."""
        self.forget()
        self._write(self.tried, text.encode())

    def forget(self) -> None:
        """Remove what was tried; raises OSError."""
        self.tried.unlink(missing_ok=True)

    def commit(self, command: str = "register") -> Written:
        """Have what was tried be the file; raises OSError, or Changed where it was changed since.

        What was there before is kept under a name with the command's.
        """
        content = read_regular(str(self.tried), MOST_BYTES)
        if self._now() != self._read:
            raise Changed
        backup = None
        if self._read is not None:
            backup = self._free(
                f"{self.path.name}.before-{command}-{time.strftime('%Y%m%d-%H%M%S')}"
            )
            self._write(backup, self._read)
        try:
            self.tried.replace(self.path)
        except OSError as error:
            if backup is not None:
                backup.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self._settle()
        return Written(self.path, backup, content)

    def restore(self, written: Written) -> bool:
        """Put back what was there; tell whether that was still possible.  Raises OSError."""
        if self._now() != written.content:
            return False
        if written.backup is None:
            self.path.unlink()
        else:
            written.backup.replace(self.path)
        self._settle()
        return True

    def _now(self) -> bytes | None:
        try:
            return read_regular(str(self.path), MOST_BYTES)
        except FileNotFoundError:
            return None

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file that is not there yet, with the owner and the group of config.toml."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 (a descriptor)
                with suppress(FileNotFoundError):
                    seen = self.path.stat()
                    os.fchown(descriptor, seen.st_uid, seen.st_gid)
                    # A group other than root's was given the file on purpose.
                    group = seen.st_mode & stat.S_IRGRP if seen.st_gid else 0
                    os.fchmod(descriptor, 0o600 | group)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def _free(self, name: str) -> Path:
        """Return a path beside the file that nothing has."""
        names = (f"{name}-{number}" if number > 1 else name for number in range(1, 1000))
        paths = (self.path.with_name(each) for each in names)
        return next(each for each in paths if not os.path.lexists(each))

    def _settle(self) -> None:
        """Have the directory survive a crash as it is now, where its file system can."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
