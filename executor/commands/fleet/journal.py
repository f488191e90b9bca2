"""The log of all that the command changes: a line before each change, and one after it.

A line before without a line after is a change that was under way when the command was killed: nobody
knows whether it was made, and the next call looks.  One command at a time writes.
"""

import fcntl
import json
import os
import pwd
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Self

from executor.bounds import whole_number
from executor.commands.gitlab.client import GitLabFailed
from executor.log import write_through

DEFAULT = "/var/log/dind-executor-fleet.jsonl"
"""In a directory of root's: that of the jobs' logs is another user's."""
_MOST_BYTES = 64 << 20
_LATEST = 1 << 63
_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
BEGUN, DONE, FAILED, UNKNOWN = "begun", "done", "failed", "unknown"


Table = Mapping[str, object]


class JournalFailed(Exception):
    """Nothing can be noted, so nothing is changed; the text says why."""


class Change(NamedTuple):
    """The last word on a change."""

    id: str
    action: str
    target: str
    state: str

    @property
    def begun(self) -> float:
        """Return when it was begun, in seconds since the epoch; 0 where nobody knows."""
        nanoseconds = whole_number(self.id.partition("-")[0], _LATEST)
        return (nanoseconds or 0) / 1e9

    @property
    def is_open(self) -> bool:
        """Tell whether nobody knows if it was made."""
        return self.state in (BEGUN, UNKNOWN)


class Journal:
    """An open log, which no other command writes to meanwhile."""

    def __init__(self, path: str) -> None:
        """Open it and read it; raises JournalFailed."""
        self._changes: dict[str, Change] = {}
        self._details: dict[str, tuple[Table, Table]] = {}
        try:
            self._file = os.open(path, _OPEN, 0o600)
        except OSError as error:
            raise JournalFailed(
                f"The log of changes {path} cannot be written: {error.strerror}. Name another with"
                " --audit-log FILE, always the same one."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(path)
        except BaseException as error:
            os.close(self._file)
            if isinstance(error, BlockingIOError):
                text = f"Another command is writing {path}: wait until it ends."
            elif isinstance(error, OSError):
                text = f"The log of changes {path} cannot be written: {error.strerror}."
            else:
                raise
            raise JournalFailed(text) from None

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others write."""
        os.close(self._file)

    def last(self, target: str, *actions: str) -> Change | None:
        """Return the last of some changes of a thing that was made or may have been, None without any.

        A runner is one thing for several commands: none may take another's change for its own.
        """
        of_it = [each for each in self._changes.values() if each.target == target]
        of_it = [each for each in of_it if each.action in actions]
        return next((each for each in reversed(of_it) if each.state != FAILED), None)

    def lasts(self) -> list[Change]:
        """Return the last change of each thing that was made or may have been."""
        made = [each for each in self._changes.values() if each.state != FAILED]
        return list({each.target: each for each in made}.values())

    def before(self, change: Change) -> Table:
        """Return what was there before a change."""
        return self._details.get(change.id, ({}, {}))[0]

    def after(self, change: Change) -> Table:
        """Return what a change was to make of it."""
        return self._details.get(change.id, ({}, {}))[1]

    def unsettled(self) -> list[Change]:
        """Return the changes of which nobody knows whether they were made."""
        return [each for each in self._changes.values() if each.is_open]

    @contextmanager
    def changing(self, action: str, target: str, before: Table, after: Table) -> Iterator[None]:
        """Note a change before and after it is made; raises JournalFailed before it."""
        change = Change(f"{time.time_ns()}-{os.getpid()}", action, target, BEGUN)
        self._note(change, before=dict(before), after=dict(after))
        try:
            yield
        except GitLabFailed as error:
            self.settle(change, UNKNOWN if error.may_be_done else FAILED, str(error))
            raise
        except BaseException as error:
            self.settle(change, UNKNOWN, str(error) or type(error).__name__)
            raise
        self.settle(change, DONE)

    def settle(self, change: Change, state: str, why: str = "") -> None:
        """Note how a change has ended."""
        self._note(change._replace(state=state), **({"why": why} if why else {}))

    def _note(self, change: Change, **more: object) -> None:
        line = {"at": time.time(), "who": _who(), **change._asdict(), **more}
        try:
            write_through(self._file, (json.dumps(line) + "\n").encode())
            os.fsync(self._file)
        except OSError as error:
            raise JournalFailed(
                f"The log of changes cannot be written: {error.strerror}."
            ) from None
        self._take(line)

    def _read(self, path: str) -> None:
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise JournalFailed(
                f"The log of changes {path} is no file, which the next command could read."
            )
        with open(self._file, "rb", closefd=False) as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise JournalFailed(f"{path} has become large: move it away, to keep it.")
        if content and not content.endswith(b"\n"):
            os.write(self._file, b"\n")  # a line that was cut off by the end of the host
        for line in content.splitlines():
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(said, dict):
                self._take(said)

    def _take(self, said: Mapping[str, object]) -> None:
        words = [said.get(name) for name in Change._fields]
        texts = [each for each in words if isinstance(each, str)]
        if len(texts) == len(words):
            change = Change(*texts)
            self._changes[change.id] = change
            before, after = said.get("before"), said.get("after")
            if isinstance(before, dict) and isinstance(after, dict):
                self._details[change.id] = before, after


def _who() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
