"""Keeps the numbers over restarts: with them, in one file, stands how far the spool has been read.

The file is written as a whole or not at all.  Whatever ends this process, what was counted since the
file was written is read again.
"""

import json
import os
import threading
import time
from contextlib import suppress

from executor.commands.metrics import catalogue
from executor.commands.metrics.counts import Counts
from executor.host import state_files
from executor.record.following import Follower
from executor.record.ledger import Ledger

FILE, LOCK = "metrics.json", "metrics.lock"

_VERSION = 1


class Keeper:
    """The numbers of a host; may be asked from several threads."""

    def __init__(self, state_dir: str, spool: str) -> None:
        """Take up what the last process has left in a directory; raises OSError where it is none."""
        self._state_dir = state_dir
        self._spool = spool
        self._lock = threading.Lock()
        self._is_changed = True
        self.counts, self._ledger, self._follower = Counts(), Ledger(), Follower()
        self.read_at: float | None = None
        """When the spool was last read to its end, by `time.monotonic`."""
        with state_files.opened(state_dir) as directory:
            if directory < 0:
                raise NotADirectoryError(0, "is no directory that can be used", state_dir)
            self._take_up(directory)

    def look(self) -> bool:
        """Count what is new; return whether the spool could be read."""
        with self._lock:
            try:
                for record in self._follower.new(self._spool):
                    self._is_changed = True
                    self.counts.count(record)
                    for ended in self._ledger.note(record):
                        self.counts.end(ended)
            except OSError:
                return False
            finally:
                self._count_losses()
            for ended in self._ledger.settle(time.monotonic()):
                self._is_changed = True
                self.counts.end(ended)
            self.read_at = time.monotonic()
            return True

    def save(self) -> str:
        """Leave the numbers for the next process; return why that cannot be done, or ""."""
        with self._lock:
            if not self._is_changed:
                return ""
            said = {
                "version": _VERSION,
                "places": self._follower.as_json(),
                "jobs": self._ledger.as_json(),
                "series": self.counts.as_json(),
            }
            with state_files.opened(self._state_dir) as directory:
                try:
                    state_files.write(directory, FILE, json.dumps(said).encode())
                except OSError as error:
                    return f"{self._state_dir}/{FILE} cannot be written: {error.strerror}"
            self._is_changed = False
            return ""

    def snapshot(self) -> Counts:
        """Return the numbers as they are now, for somebody who takes time to write them."""
        with self._lock:
            return Counts.from_json(self.counts.as_json())

    def _take_up(self, directory: int) -> None:
        said = state_files.read(directory, FILE)
        if said.get("version") == _VERSION:
            with suppress(ValueError, TypeError, OverflowError):
                counts = Counts.from_json(said.get("series"))
                ledger = Ledger.from_json(said.get("jobs"))
                self._follower = Follower.from_json(said.get("places"))
                self.counts, self._ledger = counts, ledger
                return
        with suppress(OSError):
            os.stat(FILE, dir_fd=directory, follow_symlinks=False)
            # It was there and is of no use: to count the same jobs again would look like new ones.
            self._follower.skip(self._spool)

    def _count_losses(self) -> None:
        follower = self._follower
        self._is_changed = self._is_changed or bool(follower.bad_lines or follower.gaps)
        self.counts.add(catalogue.BAD_LINES, follower.bad_lines)
        self.counts.add(catalogue.GAPS, follower.gaps)
        follower.bad_lines = follower.gaps = 0
