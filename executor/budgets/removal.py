"""Removes what has to go, one thing after another, if nobody has begun to use it since the look."""

from executor.budgets.look import look
from executor.budgets.records import Records
from executor.budgets.things import Gone, Stays, Thing
from executor.engine.docker import Engine
from executor.errors import EngineRefused
from executor.log import AdministratorLog
from executor.settings.file import Settings

SINCE = "it has been used since"


class Remover:
    """What it takes to remove something."""

    def __init__(
        self, engine: Engine, settings: Settings, records: Records, log: AdministratorLog
    ) -> None:
        """Keep what is needed."""
        self._engine = engine
        self._settings = settings
        self._records = records
        self._log = log

    def remove(self, thing: Thing, reason: str) -> Gone:
        """Remove a thing; return what became of it.

        The engine keeps what a container has, also where that has begun in the last moment.
        """
        left = self._removed(thing)
        if not left:
            self._records.forget(thing.name)
        gone = Gone(thing, reason, left)
        self._log.event("pruned", **gone.facts())
        return gone

    def _removed(self, thing: Thing) -> str:
        """Return why it is there still, or ""."""
        try:
            seen = look(self._engine, self._settings, self._records.known())
        except EngineRefused as refused:
            return str(refused)
        now = next((each for each in seen.things if each.name == thing.name), None)
        if now is None:
            return ""  # somebody else has removed it
        if now.stays is not Stays.NO or now.record != thing.record:
            return SINCE
        remove = self._engine.kept.remove_image if now.is_image else self._engine.kept.remove_volume
        for each in now.references:
            if left := remove(each):
                return left
        return ""
