"""Frees room on the way of a job: by recorded sizes and by what is free after each removal.

Nothing is measured here: that takes minutes.
"""

import fcntl
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from executor.budgets.choice import NO_ROOM, TINY, by_age, choose
from executor.budgets.limits import budgets_of
from executor.budgets.look import look
from executor.budgets.measured import last_measurement
from executor.budgets.records import Records
from executor.budgets.removal import Remover
from executor.budgets.things import Thing
from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.settings.file import Settings

_PAUSE_SECONDS = 0.1


def reclaim(
    engine: Engine,
    settings: Settings,
    address: str,
    log: AdministratorLog,
    enough: Callable[[], bool],
    *,
    wait_seconds: float = 0.0,
) -> list[str]:
    """Remove what is least recently used until `enough` says so; return what went.

    What exceeds a budget goes first, as far as its size is known.  Whoever frees room at the same time
    is waited for, for so long; then what is enough by now may be seen.  Raises EngineUnavailable or
    EngineRefused where the engine does not list everything: then nothing is removed.
    """
    if enough():
        return []
    records = Records(settings.sweep.state_dir, address)
    with _alone(settings.sweep.state_dir, address, wait_seconds) as is_alone:
        if not is_alone or enough():
            return []
        measured = last_measurement(settings.sweep.state_dir, address)
        sizes = measured.sizes if measured else {}
        things = look(engine, settings, records.known(), sizes).things
        remover = Remover(engine, settings, records, log)
        went: list[str] = []
        for thing, reason in _in_order(settings, things):
            gone = remover.remove(thing, reason)
            if not gone.left:
                went.append(thing.shown)
            if enough():
                break
        return went


def _in_order(settings: Settings, things: tuple[Thing, ...]) -> Iterator[tuple[Thing, str]]:
    """Yield what may go, each with its reason, in the order in which it goes."""
    exceeding = dict(
        each
        for budget, its in budgets_of(settings, things)
        for each in choose(its, budget, time.time()).going
    )
    yield from sorted(exceeding.items(), key=lambda each: (each[0].used, each[0].name))
    for each in by_age(things):
        if each not in exceeding and (each.size is None or each.size >= TINY):
            yield each, NO_ROOM


@contextmanager
def _alone(state_dir: str, address: str, seconds: float) -> Iterator[bool]:
    """Hold a lock that a killed process does not keep; True also where there is no place for one."""
    descriptor = -1
    path = f"{state_dir}/budgets-{zlib.crc32(address.encode()):08x}.lock"
    if state_dir:
        with suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            if os.geteuid() == 0:
                owner = os.stat(state_dir)  # noqa: PTH116
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
    if descriptor < 0:
        yield True
        return
    deadline = time.monotonic() + seconds
    try:
        yield _locked(descriptor, deadline)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
