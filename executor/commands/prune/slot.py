"""`dind-executor prune --project ID`: shows and removes the sources that slots of one project keep."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from executor.budgets.look import look
from executor.budgets.measured import last_measurement
from executor.budgets.records import Records
from executor.budgets.removal import Remover
from executor.budgets.things import BUILDS, LAYERS, Stays
from executor.commands.prune.report import ASKED, DONE, LEFT, Row, json_lines, summary, table
from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.log import AdministratorLog, say
from executor.plan.labels import PREFIX
from executor.settings.file import Settings

_RUNNERS = f"{PREFIX}.project"


class Slot(NamedTuple):
    """Whose sources are meant."""

    project: int
    """The project's id."""
    number: int | None
    """CI_CONCURRENT_PROJECT_ID; None for every slot of the project."""

    def __str__(self) -> str:
        """Return it as sentences have it."""
        return f"project {self.project}{'' if self.number is None else f' in slot {self.number}'}"

    def keeps(self, volumes: Sequence[Mapping[str, object]]) -> Iterator[str]:
        """Yield the names of those of the listed volumes that are the slot's by their labels."""
        for each in volumes:
            labels = as_table(each.get("Labels"))
            number = labels.get(f"{_RUNNERS}.runner_id")
            if labels.get(f"{_RUNNERS}.id") == str(self.project) and (
                self.number is None or number == str(self.number)
            ):
                yield str(each.get("Name"))


class SlotPrune:
    """One call of the command that names a project."""

    def __init__(
        self, engine: Engine, settings: Settings, address: str, log: AdministratorLog
    ) -> None:
        """Keep what is needed."""
        self._engine = engine
        self._settings = settings
        self._address = address
        self._log = log
        self._records = Records(settings.sweep.state_dir, address)

    def run(self, slot: Slot, *, yes: bool, as_json: bool) -> int:
        """Show what is kept, or remove it; return 1 where something of it is there afterwards, else 0.

        Raises EngineUnavailable or EngineRefused where the engine does not list everything.
        """
        rows = list(self._rows(slot))
        if yes:
            remover = Remover(self._engine, self._settings, self._records, self._log)
            gone = [remover.remove(row.thing, ASKED) if row.goes else None for row in rows]
            rows = [
                row._replace(removed=not each.left, left=each.left) if each else row
                for row, each in zip(rows, gone, strict=True)
            ]
            left = any(row.goes and not row.removed for row in rows)
            self._log.close("something is left" if left else "success")
        nothing = [] if rows else [f"No sources or layers are kept of {slot} in volumes."]
        remarks = [*nothing, *self._elsewhere()]
        for line in (
            json_lines(rows, (), remarks, acted=yes)
            if as_json
            else (*table(rows, time.time()), *summary(rows, (), acted=yes), *remarks)
        ):
            say(line)
        return DONE if all(row.removed for row in rows) else LEFT

    def _elsewhere(self) -> list[str]:
        """Return a sentence on sources that are in no volume."""
        place = self._settings.docker.volumes.cache_dir
        said = f"Sources in {place} on the Docker Engine's host are not shown: remove them by hand."
        return [said] if place else []

    def _rows(self, slot: Slot) -> Iterator[Row]:
        last = last_measurement(self._settings.sweep.state_dir, self._address)
        seen = look(self._engine, self._settings, self._records.known(), last.sizes if last else {})
        wanted = set(slot.keeps(seen.volumes))
        for each in seen.things:
            if each.kind in (BUILDS, LAYERS) and each.name in wanted:
                goes = each.stays is Stays.NO
                yield Row(each, ASKED if goes else str(each.stays), goes=goes)
