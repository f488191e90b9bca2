"""Looks at the engine's disks while a script runs, and ends the job if it is the one that fills them.

In a thread of `run`, loaded after the script has started.  Far from the floor this is one `statvfs`
now and then; near it the job measures what it has written, and tells the other jobs.  What only that
takes is loaded there: nearly every script of every job has a watch, and few disks are short.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from executor.disk.limits import (
    BYTES,
    NEAR,
    Ending,
    Overrun,
    Situation,
    Written,
    is_to_end,
    line,
    silent,
)
from executor.disk.meeting import Meeting
from executor.disk.watched import Watched
from executor.engine.docker import Engine
from executor.errors import ExecutorError
from executor.host.disk import Free, Place, all_free
from executor.log import AdministratorLog
from executor.names import JobNames

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from executor.disk.growth import Grown
    from executor.disk.scene import Scene

_MEASURE_SECONDS = 1.0
"""How long a walk may take when the disk is short."""
_LONG_MEASURE_SECONDS = 3.0
_IDLE_SHARE = 50
"""A walk is repeated after so many times as long as it took, while the disk is near the floor only."""
_BUSY_IDLE_SHARE = 4
"""The same where the disk fills, or is short."""
_STEP = 0.1
"""What is lost meanwhile, in headrooms, where the disk fills."""
_PAUSE_SECONDS, _BUSY_PAUSE_SECONDS = 0.1, 0.03
_FAST = 0.5
"""How many headrooms are lost in a second where the disk fills fast."""
_MOST_FAILURES = 50


class Look(NamedTuple):
    """What was seen of the file system that is the shortest."""

    at: float
    level: float
    what: str
    place: Place
    free: Free

    @property
    def left(self) -> int:
        """Return how much is free of what there is least of."""
        return self.free.bytes if self.what == BYTES else self.free.inodes or 0


class Watch:
    """The watch of one job while one of its scripts runs."""

    def __init__(
        self, engine: Engine, names: JobNames, watched: Watched, log: AdministratorLog
    ) -> None:
        """Take the job; nothing is looked at yet."""
        self._engine = engine
        self._names = names
        self._watched = watched
        self._log = log
        self._meeting: Meeting | None = None
        self._scene: Scene | None = None
        self._last: Look | None = None
        self._short_since = 0.0
        self._mine: tuple[Written, Grown] | None = None
        self._measured_level = 0.0
        self._took = 0.0
        self._falls = 0.0
        self._failures = 0

    def follow(self, end: Callable[[Overrun], bool]) -> None:
        """Look until the disks are gone, or until `end` is told that this job is the one, and agrees.

        It tells whether it does: the script may have ended meanwhile.
        """
        try:
            while (look := self._look()) is not None:
                if self._heed(look, end):
                    return
                pause = self._watched.limits.pause(look.free)
                if look.level < NEAR:
                    pause = _BUSY_PAUSE_SECONDS if self._falls > _FAST else _PAUSE_SECONDS
                time.sleep(pause)
        finally:
            if self._meeting:
                self._meeting.close()

    def leave(self) -> None:
        """Say nothing more to other jobs: the script has ended, and so does this process."""
        if self._meeting:
            self._meeting.leave()

    def _look(self) -> Look | None:
        limits, at = self._watched.limits, time.monotonic()
        seen = [
            (*limits.level(free), place, free) for place, free in all_free(self._watched.places)
        ]
        if not seen:
            return None
        return Look(at, *min(seen, key=lambda each: each[0]))

    def _heed(self, look: Look, end: Callable[[Overrun], bool]) -> bool:
        """Do what a look asks for; tell whether the watch is over."""
        last, self._last, self._falls = self._last, look, 0.0
        if last and last.place == look.place and look.at > last.at:
            self._falls = (last.level - look.level) / (look.at - last.at)
        is_short = look.level < line(self._falls)
        self._short_since = (self._short_since or look.at) if is_short else 0.0
        try:
            meeting = self._joined()
            if look.level >= NEAR:
                if self._mine:
                    # Much may come and go until anybody measures again.
                    self._mine = None
                    meeting.tell(self._silent())
                return False
            self._measure(look, meeting, is_short=is_short)
            return is_short and self._may_end(look, meeting, end)
        except (OSError, ExecutorError) as error:
            # Another stage of the job may just be ending, or the engine be busy with a full disk.
            self._failures += 1
            if self._failures < _MOST_FAILURES:
                return False
            self._log.event("disk not watched", error=str(error))
            return True

    def _joined(self) -> Meeting:
        """Return where the jobs meet: whoever may fill the disk is known there before it does."""
        if self._meeting is None:
            meeting = Meeting(self._watched.directory, self._names.key)
            try:
                meeting.tell(self._silent())
                # Stages end without a word: what they have left goes now.
                meeting.others()
            except OSError:
                meeting.close()
                raise
            self._meeting = meeting
        return self._meeting

    def _silent(self) -> Written:
        """Return what is said before anything is measured."""
        return silent(self._names.key, [each.device for each in self._watched.places])

    def _measure(self, look: Look, meeting: Meeting, *, is_short: bool) -> None:
        """Measure what the job has written, unless that was done just now."""
        watched, began = self._watched, time.monotonic()
        known = self._mine if self._mine and self._mine[0].device == look.place.device else None
        if known and not self._is_due(known[0], look, is_short=is_short):
            return
        from executor.disk.growth import grown  # noqa: PLC0415 (near the floor only)

        if self._scene is None:
            from executor.disk.scene import scene  # noqa: PLC0415

            self._scene = scene(
                self._engine, self._names, watched.root, watched.volumes, watched.paths
            )
        longest = _MEASURE_SECONDS if is_short else _LONG_MEASURE_SECONDS
        found = grown(self._scene.trees, look.place.device, watched.since, longest)
        self._took, self._measured_level = time.monotonic() - began, look.level
        if known and self._took >= longest:
            # Not all was seen: what an earlier walk has found was there.
            found = max(found, known[1])
        free = look.free.bytes, look.free.inodes or 0
        written = Written(
            self._names.key, look.place.device, found.bytes, found.inodes, began, *free
        )
        self._mine = written, found
        meeting.tell(written)

    def _is_due(self, known: Written, look: Look, *, is_short: bool) -> bool:
        """Tell whether it is time to measure again."""
        if is_short and known.at < self._short_since:
            return True
        is_busy = is_short or look.level < self._measured_level - _STEP
        return look.at > known.at + self._took * (_BUSY_IDLE_SHARE if is_busy else _IDLE_SHARE)

    def _may_end(self, look: Look, meeting: Meeting, end: Callable[[Overrun], bool]) -> bool:
        """End the job if it is the one, and no other is being ended."""
        from executor.disk.ending import kill  # noqa: PLC0415 (before it is in a hurry)

        if self._mine is None:
            return False
        held = meeting.hold(look.place.device)
        if held < 0:
            return False
        try:
            mine, found = self._mine
            now = time.monotonic()
            situation = Situation(
                now,
                self._short_since,
                look.level,
                look.what,
                look.left,
                mine,
                meeting.others(),
                meeting.last_ending(held),
            )
            if not is_to_end(situation, self._watched.limits):
                return False
            said = self._overrun(look, mine, found)
            if not end(said):
                return True
            with suppress(OSError):
                meeting.end(held, Ending(self._names.key, now))
        finally:
            os.close(held)
        self._log.event("disk filled", written=said.written, what=said.what, free=said.free)
        kill(self._engine, self._names, self._scene.pids if self._scene else {})
        return True

    def _overrun(self, look: Look, mine: Written, found: "Grown") -> Overrun:
        """Return what is said of the job where it ends."""
        watched = self._watched
        return Overrun(
            mine.of(look.what),
            look.what,
            look.left,
            look.place.name,
            tuple(each for each in found.volumes if each in watched.volumes),
            tuple(f"{watched.root}{each}" for each in found.volumes if each in watched.paths),
        )
