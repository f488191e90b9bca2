"""The runner's slots for a project, shared by all commands of a user on this machine.

A custom executor keeps caches by runner, project and slot (`CI_CONCURRENT_PROJECT_ID`). So the
runner's token follows from the registration, and one job at a time has a slot: the next run
finds the caches, and two commands at once do not meet in them.
"""

import fcntl
import hashlib
import itertools
import os
import tempfile
from pathlib import Path

from executor.local.errors import LocalError

_TOKEN_DIGITS = 4


def runner_token(source: str, name: str) -> str:
    """Return what stands for the token of a runner: by registration file, name and user."""
    digest = hashlib.sha256(f"{os.getuid()}\n{source}\n{name}".encode()).hexdigest()
    return f"local{digest[:_TOKEN_DIGITS]}"


class Slots:
    """Numbers that nobody else holds at the time; a process's end gives back what it held."""

    def __init__(self, source: str, name: str, project: str, directory: Path | None = None) -> None:
        base = directory or Path(tempfile.gettempdir())
        self._directory = base / f"dind-executor-local-{os.getuid()}"
        digest = hashlib.sha256(f"{source}\n{name}\n{project}".encode()).hexdigest()
        self._prefix = digest[:16]
        self._held: dict[int, int] = {}

    def take(self) -> int:
        """Return the lowest free number."""
        for number in itertools.count():
            descriptor = self._open(f"{self._prefix}-{number}.lock")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                self._held[number] = descriptor
                return number
        raise AssertionError

    def give_back(self, number: int) -> None:
        """Let somebody else have a number."""
        os.close(self._held.pop(number))

    def _open(self, name: str) -> int:
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            if self._directory.lstat().st_uid != os.getuid():
                message = f"{self._directory} belongs to another user; remove it"
                raise LocalError(message)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            return os.open(self._directory / name, flags, 0o600)
        except OSError as error:
            message = f"{self._directory}: cannot be used ({error.strerror}); set another TMPDIR"
            raise LocalError(message) from None
