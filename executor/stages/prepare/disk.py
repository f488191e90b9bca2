"""Room on the engine's disks: looked at before any work, and made where there is too little."""

import os
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from executor.budgets.things import IMAGE
from executor.disk.meeting import DIRECTORY
from executor.disk.room import Low, Room, is_looked_at, shortage
from executor.disk.watched import Watched
from executor.engine.docker import Engine
from executor.errors import ExecutorError, ResourceExhausted, SettingsError
from executor.log import AdministratorLog, say
from executor.notation.durations import age_text
from executor.notation.sizes import size_text
from executor.plan.volumes import JobVolumes
from executor.reading import Basics
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.stages.prepare.sweep import sweep_now
from executor.tasks import Task

if TYPE_CHECKING:
    from executor.budgets.measured import Measured, Measurement

_NAMED = 3
_SHORT_ID = 12
"""How much of an image's id names it to the engine, and stands in its own lists."""
_WAIT_SECONDS = 60.0
"""How long to wait for another job that makes room."""
_REMEDY = (
    "Free space with `dind-executor prune --yes` or `docker system prune`, or enlarge the disk of the"
    " engine's data directory. `dind-executor doctor --only disk` looks at this."
)


class Disk:
    """The engine's disks, and one job that wants room there."""

    def __init__(
        self, engine: Engine, env: RunnerEnv, basics: Basics, log: AdministratorLog
    ) -> None:
        """Begin to look where they are."""
        self._engine = engine
        self._env = env
        self._basics = basics
        self._log = log
        self._since = time.time()
        looked_at = is_looked_at(basics.settings.disk)
        self._room = Task(self._find) if looked_at else None

    def make_room(self) -> None:
        """Return where there is room for a job, or was made; raises ResourceExhausted elsewhere."""
        room = self._room.result() if self._room else None
        if room is None or not room.low():
            return
        if small := room.too_small():
            raise SettingsError(room.misfit(small[0]))  # and nothing is removed in vain
        started = time.monotonic()
        low = self._freed(room)
        if not low:
            self._log.done("disk low", started, left="")
            return
        last, left = self._last(), shortage(room, low[0])
        largest = [f"{each.kind} {each.name}" for each in last.things[:_NAMED]] if last else []
        self._log.done("disk low", started, left=left, largest=largest)
        raise ResourceExhausted(f"{left} {_largest(last)} {_REMEDY}")

    def tidy(self) -> None:
        """Make room for later jobs, beside this one's work: nobody waits for it."""
        room = self._room.result() if self._room else None
        if room is not None and room.scarce_kinds():
            self._reclaim(room.scarce_kinds, 0.0)

    def leave_watch(self, volumes: JobVolumes, layers: str = "") -> None:
        """Let `run` look at the disks while the job's scripts run; `layers` is a volume with kept ones."""
        room, settings = self._room.result() if self._room else None, self._basics.settings
        if room is None or not settings.disk.watch:
            return
        if os.geteuid() != 0:
            self._log.event("disk not watched", reason="only root sees what jobs write")
            return
        lasting = [each for each in volumes.all if each.lasts]
        watched = Watched(
            places=room.places,
            limits=room.limits,
            root=room.root,
            since=self._since,
            volumes=(
                *(each.source for each in lasting if each.volume),
                *([layers] if layers else []),
            ),
            paths=tuple(each.source for each in lasting if not each.volume),
            directory=DIRECTORY,
        )
        notes.leave(self._env.temp_dir, notes.DISK, watched.noted())

    def _find(self) -> Room | None:
        """Return the disks where any is seen from here; where not, the log says so."""
        try:
            room = Room.at(self._engine, self._basics.settings.disk)
        except ExecutorError:
            return None  # whatever asks the engine next says what is wrong
        if room.places:
            return room
        self._log.event("disk not seen", reason="the Docker Engine's directories are not seen here")
        return None

    def _freed(self, room: Room) -> list[Low]:
        """Remove what nobody needs, as far as that takes; return where there is still too little."""
        say("The disk of the Docker Engine's host is nearly full. Removing what nobody needs ...")
        self._sweep()
        if room.low():
            self._reclaim(room.low_kinds, _WAIT_SECONDS)
        return room.low()

    def _sweep(self) -> None:
        if self._basics.settings.sweep.enabled:
            sweep_now(self._engine, self._env, self._basics, self._log)

    def _reclaim(self, wanted: Callable[[], Collection[str]], wait_seconds: float) -> None:
        """Remove what is least recently used of what is kept, as far as that takes."""
        from executor.budgets.reclaim import reclaim  # noqa: PLC0415 (rarely needed)

        settings, address = self._basics.settings, self._basics.context.host
        try:
            reclaim(self._engine, settings, address, self._log, wanted, wait_seconds=wait_seconds)
        except ExecutorError as error:
            self._log.event("disk not freed", error=str(error))

    def _last(self) -> "Measurement | None":
        from executor.budgets.measured import last_measurement  # noqa: PLC0415 (rarely needed)

        state_dir = self._basics.settings.sweep.state_dir
        return last_measurement(state_dir, self._basics.context.host)


def _largest(last: "Measurement | None") -> str:
    """Return what took most room when that was last measured."""
    if last is None:
        return "Nobody knows what takes the room, because `dind-executor prune` has not run yet: run it."
    age = age_text(time.time() - last.at)
    named = [f"{_shown(each)} ({size_text(each.size)})" for each in last.things[:_NAMED]]
    return (
        f"The largest things, as `dind-executor prune` measured {age} ago:"
        f" {', '.join(named) or 'none'}."
    )


def _shown(thing: "Measured") -> str:
    """Return what a job log calls a thing: an image's name would tell of another project."""
    digest = thing.id.partition(":")[2] if thing.kind == IMAGE else ""
    return f"{thing.kind} {digest[:_SHORT_ID] or thing.name}"
