"""Ends a job that fills the disk: at once all that writes, and then what it has written.

What removes is loaded when it is due: the killing waits for no module of it.
"""

import os
import signal
from collections.abc import Callable, Iterable, Mapping

from executor.disk.limits import Overrun
from executor.disk.scene import containers
from executor.engine.docker import Engine
from executor.errors import DiskOverrun, EngineUnavailable
from executor.files import read_regular
from executor.log import AdministratorLog
from executor.names import JobNames
from executor.tasks import Task

_PATIENCE_SECONDS = 10.0
_MOST_BYTES = 65536


def kill(engine: Engine, names: JobNames, pids: Mapping[str, int]) -> None:
    """End the job's containers without grace; those that the engine does not end go on.

    `pids` has the first process of containers by their ids, where this process sees it: the engine
    may take seconds while its disk fills, and the kernel ends all of a container with that one.
    """
    for container, pid in pids.items():
        _end_process(container, pid)
    known = [names.build, names.dind, names.helper]
    tasks = [Task(_killed(engine, each)) for each in known]
    try:
        for each in containers(engine, names):
            name = str(each.get("Name") or "").lstrip("/")
            if name and name not in known:
                tasks.append(Task(_killed(engine, name)))
    except EngineUnavailable:
        pass  # cleanup removes what is left
    for task in tasks:
        task.result()


def remove(
    engine: Engine, names: JobNames, found: Overrun, log: AdministratorLog
) -> tuple[str, ...] | None:
    """Remove all of the job, and the caches that it has filled; return these, None if not all went."""
    from shutil import rmtree  # noqa: PLC0415

    from executor.engine.removal import Removal  # noqa: PLC0415

    removal = Removal(names, log)
    removal.patience_seconds = _PATIENCE_SECONDS
    removal.volumes = found.volumes
    if engine.remove_all(removal):
        return None  # something still has them
    for each in found.paths:
        rmtree(each, ignore_errors=True)
    return (*found.volumes, *found.paths)


def overrun(found: Overrun, gone: Iterable[str] | None) -> DiskOverrun:
    """Return the error of a job that was ended, for its log; `gone` is what `remove` has returned."""
    from executor.disk.room import amount_text  # noqa: PLC0415

    written, free = (amount_text(each, found.what) for each in (found.written, found.free))
    caches = ", ".join(gone or ())
    removed = (
        f" is removed, and so are the caches that it filled: {caches}" if caches else " is removed"
    )
    if gone is None:
        removed = " could not all be removed yet"  # cleanup goes on, and says what it cannot
    return DiskOverrun(
        "The job was ended because it filled the disk of the Docker Engine's host: it had written"
        f" {written}, more than any other job, and {free} were left in {found.disk}. What it"
        f" wrote{removed}. Make the job write less, or ask the administrator for a larger disk"
        " (`[disk]` in the settings)."
    )


def _end_process(container: str, pid: int) -> None:
    """Kill a process, if it is still the container's: its number may be another one's by now."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if container.encode() in read_regular(f"/proc/{pid}/cgroup", _MOST_BYTES):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _killed(engine: Engine, name: str) -> Callable[[], None]:
    def end() -> None:
        try:
            engine.kill(name)
        except EngineUnavailable:
            return

    return end
