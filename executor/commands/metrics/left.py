"""What others leave in the state directory: sweeps, measurements of `prune`, findings of `doctor`.

Whoever reads it bears anything: it may be missing, old, or somebody else's.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from executor.budgets.measured import Measurement, last_measurement
from executor.budgets.things import BUILDS, CACHE, IMAGE, LAYERS
from executor.engine.wire import as_table
from executor.files import read_regular
from executor.notation.amounts import byte_size
from executor.record.values import number
from executor.settings.file import Settings
from executor.sweep.state import states

DOCTOR_FILE = "doctor.json"

SOURCES, IMAGES = "sources_and_caches", "images"
"""What is kept with a budget of its own, beside `LAYERS`."""
LEVELS = ("ok", "warn", "fail", "error", "skip")
VERDICTS = ("keep", "remove", "undecided")

_BUDGETS = {BUILDS: SOURCES, CACHE: SOURCES, LAYERS: LAYERS, IMAGE: IMAGES}
_MOST_BYTES = 1024 * 1024
_MOST_CHECKS = 200


class Check(NamedTuple):
    """A finding of doctor's."""

    id: str
    level: str
    found: str
    remedy: str


class Doctor(NamedTuple):
    """What doctor has found."""

    at: float
    is_ok: bool
    counts: Mapping[str, int]
    """How many findings there are of each of `LEVELS`."""
    checks: tuple[Check, ...]


class Sweep(NamedTuple):
    """How the last sweep went."""

    at: float
    by: str
    verdicts: Mapping[str, int]
    """How many jobs there are of each of `VERDICTS`."""
    removed: int
    left: tuple[str, ...]
    """The keys of the jobs of which something stayed."""
    error: str


class Left(NamedTuple):
    """All of it; None for what is not there."""

    sweep: Sweep | None
    measurement: Measurement | None
    doctor: Doctor | None

    @property
    def kept(self) -> dict[str, int]:
        """Return the bytes that are kept, by what has a budget of its own."""
        found = dict.fromkeys((SOURCES, LAYERS, IMAGES), 0)
        for each in self.measurement.things if self.measurement else ():
            if each.kind in _BUDGETS:
                found[_BUDGETS[each.kind]] += each.size
        return found


def read_left(state_dir: str, address: str, doctor_file: str) -> Left:
    """Return what is there of an engine."""
    sweeps = [each for each in states(state_dir) if each.get("engine") == address]
    return Left(
        _sweep(sweeps[0]) if sweeps else None,
        last_measurement(state_dir, address),
        read_doctor(doctor_file),
    )


def budgets(settings: Settings) -> dict[str, int]:
    """Return the bytes that may be kept, of what has a limit."""
    given, dind = settings.budgets, settings.dind
    texts = {
        SOURCES: given.volumes_size,
        LAYERS: dind.keep_layers_budget,
        IMAGES: given.images_size,
    }
    sizes = {kind: byte_size(text) if text else 0 for kind, text in texts.items()}
    return {kind: size for kind, size in sizes.items() if size}


def read_doctor(path: str) -> Doctor | None:
    """Return what `dind-executor doctor --record` has written; None where it has not."""
    said: object = None
    with suppress(OSError, ValueError, RecursionError):
        said = json.loads(read_regular(path, _MOST_BYTES))
    if not isinstance(said, dict) or not isinstance(said.get("checks"), list):
        return None
    counts = as_table(said.get("counts"))
    checks = [each for each in said["checks"] if isinstance(each, dict)]
    return Doctor(
        number(said, "at"),
        said.get("ok") is True,
        {each: int(number(counts, each)) for each in LEVELS},
        tuple(
            Check(*(str(each.get(key) or "") for key in ("id", "level", "found", "remedy")))
            for each in checks[:_MOST_CHECKS]
        ),
    )


def _sweep(said: Mapping[str, object]) -> Sweep:
    jobs, removed, left = as_table(said.get("jobs")), said.get("removed"), said.get("left")
    return Sweep(
        number(said, "at"),
        str(said.get("by") or ""),
        {each: int(number(jobs, each)) for each in VERDICTS},
        len(removed) if isinstance(removed, list) else 0,
        tuple(str(as_table(each).get("job")) for each in left) if isinstance(left, list) else (),
        str(said.get("error") or ""),
    )
