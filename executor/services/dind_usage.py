"""What the sidecar of a job has used, as far as that is known at once: for the job's summary.

The sidecar's daemon belongs to the job, and what it answers may be anything.
"""

import os
import time
from contextlib import suppress

from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.errors import EngineUnavailable
from executor.host.sidecar import FirstProcess
from executor.notation.moments import moment
from executor.quick_json import loads
from executor.record.summary import BuildCache, DindUsage
from executor.runner import notes

_SOCKET = ("run", "docker.sock")
"""Of dockerd's, in its container."""
_SERVES = b"API listen on"
"""dockerd's word when it answers, unless its `log-level` is above `info`."""
_LOG_HEAD = 256 * 1024
"""How much of its log is looked at, in bytes."""


def dind_usage(engine: Engine, name: str, temp_dir: str, deadline: float) -> DindUsage | None:
    """Return what is known until `deadline`, by `time.monotonic`; None where there is no sidecar.

    The engine is asked once, and the sidecar's daemon once.
    """
    found = engine.inspect(name, seconds=_left(deadline))
    if not found:
        return None
    if not engine.local or notes.is_left(temp_dir, notes.OUT_OF_REACH):
        return DindUsage()
    state = as_table(found.get("State"))
    started = moment(str(state.get("StartedAt")))
    container, pid = str(found.get("Id")), state.get("Pid")
    usage = DindUsage(answered_seconds=_answered(str(found.get("LogPath") or ""), started))
    if not isinstance(pid, int) or pid <= 0 or not container:
        return usage
    try:
        process = FirstProcess(pid, container)
    except OSError:
        return usage
    try:
        return usage._replace(
            peak_memory=process.peak_memory(),
            build_cache=_build_cache(process, started, deadline),
        )
    finally:
        process.close()


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _answered(log: str, started: float | None) -> float | None:
    """Return how long after its start the sidecar's daemon has said that it serves.

    By the engine's own log of it, where that is a file here.
    """
    if started is None or not log.endswith("-json.log"):
        return None
    try:
        with open(log, "rb") as file:  # noqa: PTH123 (pathlib costs 9 ms a call)
            head = file.read(_LOG_HEAD)
        line = next(each for each in head.split(b"\n") if _SERVES in each)
        said = moment(str(as_table(loads(line)).get("time")))
    except (OSError, StopIteration, ValueError, RecursionError):
        return None
    return said - started if said is not None and said >= started else None


def _build_cache(
    process: FirstProcess, started: float | None, deadline: float
) -> BuildCache | None:
    """Return what became of the build cache since the sidecar's start; None if its daemon does not say.

    One that measures for longer than there is time, or a kind of builder without records, says nothing.
    """
    if started is None:
        return None
    try:
        socket = process.socket(*_SOCKET)
    except OSError:
        return None  # only root sees it
    try:
        daemon = Engine.at(f"unix:///proc/self/fd/{socket}", "", tls_verify=False)
        records = daemon.kept.build_cache(_left(deadline))
    except EngineUnavailable:
        return None
    finally:
        os.close(socket)
    return _counted(records, started) if records else None


def _counted(records: list[dict[str, object]], started: float) -> BuildCache:
    used = made = size = 0
    for each in records:
        created, last = (moment(str(each.get(key))) for key in ("CreatedAt", "LastUsedAt"))
        if created is not None and created >= started:
            made += 1
            with suppress(ValueError):
                size += max(int(str(each.get("Size"))), 0)
        elif last is not None and last >= started:
            used += 1
    return BuildCache(used, made, size)
