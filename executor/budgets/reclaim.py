"""Frees room on the way of a job: by recorded sizes and by what is free after each removal.

Nothing is measured here: that takes minutes.
"""

import time
import zlib
from collections.abc import Callable, Collection, Iterator

from executor.budgets.choice import NO_ROOM, TINY, by_age, choose
from executor.budgets.limits import budgets_of
from executor.budgets.look import look
from executor.budgets.measured import last_measurement
from executor.budgets.records import Records
from executor.budgets.removal import Remover
from executor.budgets.things import Thing
from executor.engine.docker import Engine
from executor.host.state_files import locked
from executor.log import AdministratorLog
from executor.settings.file import Settings


def reclaim(
    engine: Engine,
    settings: Settings,
    address: str,
    log: AdministratorLog,
    wanted: Callable[[], Collection[str]],
    *,
    wait_seconds: float = 0.0,
) -> list[str]:
    """Remove what is least recently used until nothing is `wanted`; return what went.

    `wanted` tells what lies on a disk without room (`host.disk.VOLUMES`, `IMAGES`); what lies on
    others stays.  What exceeds a budget goes first, as far as its size is known.  Whoever frees room
    at the same time is waited for, for so long; then there may be room by now.  Raises
    EngineUnavailable or EngineRefused where the engine does not list everything: then nothing is
    removed.
    """
    if not wanted():
        return []
    state_dir = settings.sweep.state_dir
    records = Records(state_dir, address)
    lock = f"budgets-{zlib.crc32(address.encode()):08x}.lock"
    with locked(state_dir, lock, wait_seconds) as is_alone:
        places = wanted() if is_alone else ()
        if not places:
            return []
        measured = last_measurement(state_dir, address)
        sizes = measured.sizes if measured else {}
        things = look(engine, settings, records.known(), sizes).things
        remover = Remover(engine, settings, records, log)
        went: list[str] = []
        for thing, reason in _in_order(settings, things, measured.at if measured else 0.0):
            if thing.place not in places:
                continue
            gone = remover.remove(thing, reason)
            if not gone.left:
                went.append(thing.shown)
            places = wanted()
            if not places:
                break
        return went


def _in_order(
    settings: Settings, things: tuple[Thing, ...], measured_at: float
) -> Iterator[tuple[Thing, str]]:
    """Yield what may go, each with its reason, in the order in which it goes.

    What took nothing when it was measured stays, unless a job has used it since.
    """
    exceeding = dict(
        each
        for budget, its in budgets_of(settings, things)
        for each in choose(its, budget, time.time()).going
    )
    yield from sorted(exceeding.items(), key=lambda each: (each[0].used, each[0].name))
    for each in by_age(things):
        is_tiny = each.size is not None and each.size < TINY and each.used < measured_at
        if each not in exceeding and not is_tiny:
            yield each, NO_ROOM
