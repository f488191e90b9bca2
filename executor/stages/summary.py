"""The job's summary, which the last `run` call of a job prints, and no other loads."""

import time

from executor.engine.docker import Engine
from executor.errors import Cancelled, EngineUnavailable
from executor.log import AdministratorLog, write_through
from executor.names import JobNames
from executor.quick_json import loads
from executor.record.summary import DindUsage, Pulled, section, summary
from executor.runner import notes
from executor.services.dind_usage import dind_usage

SECONDS = 0.02
"""How long the end of a job may wait for it, after its last script."""


def show_summary(engine: Engine, names: JobNames, temp_dir: str, log: AdministratorLog) -> None:
    """Print what is known at once of what the job took; whatever hinders that is silent."""
    # The loading of this counts: it is the end of the script that a job waits from.
    started = log.noted[-1][0] if log.noted else time.monotonic()
    try:
        lines = _lines(engine, names, temp_dir, started + SECONDS)
        if lines:
            write_through(1, section(lines, time.time()).encode(errors="replace"))
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001 (no summary is worth a job)
        log.event("summary not shown", error=f"{type(error).__name__}")
        return
    log.done("summary shown", started)


def _lines(engine: Engine, names: JobNames, temp_dir: str, deadline: float) -> list[str]:
    costs = loads(notes.read(temp_dir, notes.COSTS) or b"{}")
    pulls = tuple(Pulled(*each) for each in costs["pulls"])
    if costs["dind_started"] is None:
        return summary(pulls, None, None)
    try:
        usage = dind_usage(engine, names.dind, temp_dir, deadline)
    except EngineUnavailable:
        usage = DindUsage()
    return summary(pulls, costs["dind_started"], usage)
