"""`dind-executor prune`: shows what is kept between jobs, and removes what is too much with `--yes`."""

import argparse
import os
import time
from collections.abc import Sequence

from executor.budgets.choice import NO_ROOM, Choice, choose, for_room
from executor.budgets.limits import budgets_of
from executor.budgets.look import Seen, kinds_of, look
from executor.budgets.measured import (
    Measurement,
    last_measurement,
    leave_measurement,
    measure,
    with_more,
)
from executor.budgets.records import Records
from executor.budgets.removal import Remover
from executor.budgets.things import Gone, Stays, Thing
from executor.commands.prune.elsewhere import directories, unmeasured
from executor.commands.prune.report import Row, Total, exit_code, json_lines, summary, table
from executor.commands.prune.slot import Slot, SlotPrune
from executor.disk.room import Room, is_looked_at
from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable, SettingsError
from executor.host.namespaces import shares_network
from executor.log import AdministratorLog, complain, say
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings

SETTINGS = "/etc/dind-executor/settings.toml"
USAGE, AWAY = 2, 75

_WHATS = ("Builds directories and caches", "Layers of Docker-in-Docker", "Images that jobs pulled")


def main(args: list[str]) -> int:
    """Show or remove; return an exit code.

    0: everything is within its budget. 1: something has to go, or must stay though it is too much.
    2: called or configured wrongly. 75: the engine does not answer.
    """
    parser = _parser()
    given = parser.parse_args(args)
    if given.slot is not None and given.project is None:
        parser.error("--slot needs --project: slots are numbered within each project.")
    log = AdministratorLog("prune")
    try:
        settings = _settings(given.settings)
    except SettingsError as error:
        complain(f"dind-executor prune: {error}")
        return USAGE
    log.open(f"{settings.log.destination}:{settings.log.path}", "", "")
    address, tls_dir, tls_verify = engine_address(settings, RunnerEnv.current())
    engine = Engine.at(address, tls_dir, tls_verify=tls_verify)
    try:
        engine.connect()
        if given.project is not None:
            prune = SlotPrune(engine, settings, address, log)
            return prune.run(Slot(given.project, given.slot), yes=given.yes, as_json=given.json)
        return _Prune(engine, settings, address, log).run(yes=given.yes, as_json=given.json)
    except (EngineUnavailable, EngineRefused) as error:
        complain(f"dind-executor prune: {error}")
        log.event("prune failed", error=str(error))
        log.close("failure")
        return AWAY


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor prune",
        description="Measure what is kept between jobs (builds directories, caches, layers, images that"
        " jobs pulled), and show what exceeds the budgets in `[budgets]` of the settings.",
        epilog="Exit codes: 0 everything is within its budget; 1 something has to go, or must stay"
        " though it is too much; 2 wrong use; 75 the Docker Engine does not answer.",
    )
    parser.add_argument("--yes", action="store_true", help="remove what has to go")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each thing")
    parser.add_argument(
        "--project",
        metavar="ID",
        type=int,
        help="show and remove only the sources and layers kept of this project, whatever the budgets say",
    )
    parser.add_argument(
        "--slot",
        metavar="NUMBER",
        type=int,
        help="only those of this slot (CI_CONCURRENT_PROJECT_ID)",
    )
    parser.add_argument(
        "--settings",
        metavar="PATH",
        help=f"dind-executor's settings (default: {SETTINGS} if it is there)",
    )
    return parser


class _Prune:
    """One call of the command."""

    def __init__(
        self, engine: Engine, settings: Settings, address: str, log: AdministratorLog
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._address = address
        self._state_dir = settings.sweep.state_dir
        self._log = log
        self._records = Records(self._state_dir, address)
        self._remarks: list[str] = []
        disk = settings.disk
        self._room = Room.at(engine, disk) if is_looked_at(disk) else None
        """The engine's disks, None where nobody wants anything to stay free there."""

    def run(self, *, yes: bool, as_json: bool) -> int:
        """Measure, choose, remove if so wanted, and print; return an exit code."""
        known = self._records.known()
        if self._room:
            self._remarks += map(self._room.misfit, self._room.too_small())
        seen = look(self._engine, self._settings, known)
        measured = self._measured(seen)
        sizes = measured.sizes
        things = [each._replace(size=sizes.get(each.name)) for each in seen.things]
        self._remarks += unmeasured(things, seen.volumes)
        if yes:
            names = (str(each.get("Name")) for each in seen.volumes)
            self._records.forget_all_but(names, seen.images)
        rows, totals = self._judged(things, measured.at)
        if yes:
            rows = self._removed(rows)
        now = time.time()
        code = exit_code(rows, totals)
        if as_json:
            for line in json_lines(rows, totals, self._remarks, acted=yes):
                say(line)
        else:
            for line in (*table(rows, now), *summary(rows, totals, acted=yes), *self._remarks):
                say(line)
        if any(row.goes for row in rows):
            self._log.close("success" if code == 0 else "something is left")
        return code

    def _measured(self, seen: Seen) -> Measurement:
        """Return what takes how much, and leave it for jobs."""
        started = time.monotonic()
        here = self._engine.local and self._is_here()
        elsewhere, remarks = directories(self._settings, here=here)
        self._remarks += remarks
        try:
            measured = measure(self._engine.kept.usage(), kinds_of(seen.things), time.time())
        except EngineRefused as refused:
            last = last_measurement(self._state_dir, self._address)
            if last is None:
                raise
            self._remarks.append(f"{refused} The sizes are those of the last measurement.")
            return last
        measured = with_more(measured, elsewhere)
        if wrong := leave_measurement(self._state_dir, self._address, measured):
            complain(f"WARNING: The measurement is not kept for jobs: {wrong}.")
        total = sum(each.size for each in measured.things)
        self._log.done("measured", started, things=len(measured.things), bytes=total)
        return measured

    def _is_here(self) -> bool:
        around = self._engine.survey()
        return shares_network(around.gateways, around.engine_name)

    def _judged(self, things: Sequence[Thing], now: float) -> tuple[list[Row], list[Total]]:
        """Return a row for each thing, those that go first, and what the budgets say."""
        rows: list[Row] = []
        totals: list[Total] = []
        for what, (budget, its) in zip(_WHATS, budgets_of(self._settings, things), strict=True):
            choice: Choice = choose(its, budget, now)
            going = dict(choice.going)
            rows += [Row(each, why, goes=True) for each, why in choice.going]
            rows += [
                Row(each, str(each.stays) if each.stays is not Stays.NO else "")
                for each in sorted(its, key=lambda each: each.used)
                if each not in going
            ]
            taken = sum(each.size or 0 for each in its)
            totals.append(Total(what, len(its), taken, budget.size, choice.excess))
        rows = self._with_room(rows)
        return sorted(rows, key=lambda row: not row.goes), totals

    def _with_room(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows with what has to go besides where the disk lacks room."""
        pressed: set[Thing] = set()
        for places, lacking in self._room.lacking() if self._room else ():
            its = [row for row in rows if row.thing.place in places]
            left = lacking - sum(row.thing.size or 0 for row in its if row.goes)
            pressed.update(for_room((row.thing for row in its if not row.goes), left))
        return [Row(row.thing, NO_ROOM, goes=True) if row.thing in pressed else row for row in rows]

    def _removed(self, rows: Sequence[Row]) -> list[Row]:
        """Remove what goes; return the rows with what became of each."""
        remover = Remover(self._engine, self._settings, self._records, self._log)
        found: list[Row] = []
        for row in rows:
            if row.reason == NO_ROOM and not self._is_scarce(row.thing):
                found.append(Row(row.thing))
            elif row.goes:
                found.append(_after(row, remover.remove(row.thing, row.reason)))
            else:
                found.append(row)
        return found

    def _is_scarce(self, thing: Thing) -> bool:
        """Tell whether the disk still lacks room that a thing lies on."""
        return self._room is not None and thing.place in self._room.scarce_kinds()


def _after(row: Row, gone: Gone) -> Row:
    return row._replace(removed=not gone.left, left=gone.left)


def _settings(path: str | None) -> Settings:
    """Return the settings of a file; the defaults where none is named and the usual one is missing.

    Raises SettingsError.
    """
    if path is None and not os.path.exists(SETTINGS):  # noqa: PTH110 (as in the settings)
        return Settings()
    return load_settings(path or SETTINGS)
