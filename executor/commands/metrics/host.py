"""What is there now: the engine, its disks, and what others have left.

Each look is within its time, and what cannot be seen is left out.
"""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from executor.commands.metrics.left import DOCTOR_FILE, Left, budgets, read_left
from executor.commands.metrics.looking import PATIENCE_SECONDS, Look
from executor.disk.limits import Limits
from executor.disk.room import is_looked_at
from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.host.disk import Free, Place, all_free, places
from executor.names import LABEL
from executor.plan.addresses import usage
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings

Table = Mapping[str, object]


class EngineSeen(NamedTuple):
    """What an engine says."""

    version: str
    networks_used: int
    networks_capacity: int
    containers: tuple[Table, ...]
    """Those of jobs that run, as the engine lists them."""


class Seen(NamedTuple):
    """What was seen at one moment; None for what does not answer in time."""

    engine: EngineSeen | None
    disks: list[tuple[Place, Free]]
    """Empty where they are not seen from here."""
    left: Left | None


class Host:
    """What the settings name: an engine, and the directory of what is left."""

    def __init__(self, settings: Settings, env: RunnerEnv, doctor_file: str = "") -> None:
        """Take the settings; nothing is looked at yet."""
        self.state_dir = settings.sweep.state_dir
        self.address, self._tls_dir, self._tls_verify = engine_address(settings, env)
        self.budgets = budgets(settings)
        self.limits = Limits.of(settings.disk) if is_looked_at(settings.disk) else None
        """What has to stay free; None where nobody looks."""
        self._pool = settings.docker.network_pool
        self.doctor_file = doctor_file or f"{self.state_dir}/{DOCTOR_FILE}"
        self._places: tuple[Place, ...] = ()
        self._looks = (Look(self._engine), Look(self._disks), Look(self._left))

    def look(self) -> Seen:
        """Look at all of it at the same time; return what was seen."""
        engine, disks, left = self._looks
        for each in (engine, left):
            each.begin()
        deadline = time.monotonic() + PATIENCE_SECONDS
        said = engine.seen(deadline)
        return Seen(said, disks.seen(deadline) or [], left.seen(deadline))

    def _engine(self) -> EngineSeen:
        engine = Engine.at(self.address, self._tls_dir, tls_verify=self._tls_verify)
        engine.connect()
        used, capacity = usage(self._pool, engine.survey())
        running = engine.running_with()
        containers = (each for each in running if LABEL in as_table(each.get("Labels")))
        self._places = places(engine.kept.stores())
        return EngineSeen(engine.version, used, capacity, tuple(containers))

    def _disks(self) -> list[tuple[Place, Free]]:
        return all_free(self._places)

    def _left(self) -> Left:
        return read_left(self.state_dir, self.address, self.doctor_file)


def keys_of(containers: Iterable[Table]) -> set[str]:
    """Return the keys of the jobs that containers are of."""
    return {str(as_table(each.get("Labels")).get(LABEL, "")) for each in containers}
