"""The last jobs with their records, and those that are not over, in memory."""

import threading
import time
from collections import deque
from typing import NamedTuple

from executor.record.endings import Ended
from executor.record.following import Follower, Record
from executor.record.ledger import Ledger, Open

MOST_JOBS = 100
"""Of those that are over."""
_MOST_RECORDS = 200
"""Of one job: it has some ten."""


class Told(NamedTuple):
    """What the records tell of a job."""

    key: str
    records: tuple[Record, ...]
    ended: Ended | None
    """None for one that is not over."""
    state: Open
    """As it was last heard."""


class History:
    """What the spool tells of jobs; may be asked from several threads."""

    def __init__(self, spool: str) -> None:
        """Read nothing yet."""
        self._spool = spool
        self._lock = threading.Lock()
        self._follower, self._ledger = Follower(), Ledger()
        self._records: dict[str, list[Record]] = {}
        self._states: dict[str, Open] = {}
        self._ended: deque[Told] = deque(maxlen=MOST_JOBS)

    def look(self) -> tuple[list[Told], list[Told]]:
        """Return the jobs that are not over and the last that are, the latest first.

        What cannot be read is what was read before.
        """
        with self._lock:
            try:
                for record in self._follower.new(self._spool):
                    self._take(record)
            except OSError:
                pass
            for ended in self._ledger.settle(time.monotonic()):
                self._end(ended)
            going = [
                Told(key, tuple(self._records.get(key, ())), None, state)
                for key, state in self._ledger.jobs.items()
            ]
            return sorted(going, key=lambda each: -each.state.at), list(reversed(self._ended))

    def _take(self, record: Record) -> None:
        key = str(record.get("key", ""))
        over = list(self._ledger.note(record))
        if key in self._ledger.jobs or any(each.key == key for each in over):
            known = self._records.setdefault(key, [])
            if len(known) < _MOST_RECORDS:
                known.append(record)
        for ended in over:
            self._end(ended)
        if key in self._ledger.jobs:
            self._states[key] = self._ledger.jobs[key]

    def _end(self, ended: Ended) -> None:
        state = self._states.pop(ended.key, Open(0.0, 0.0))
        records = tuple(self._records.pop(ended.key, ()))
        self._ended.append(Told(ended.key, records, ended, state))
