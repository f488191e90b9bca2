"""How a gitlab-runner dies: by SIGKILL, with or without the stages that it has started."""

import contextlib
import os
import signal
from pathlib import Path

from tests.gitlab.runner import Runner


def kill(started: Runner, *, stages: bool = True) -> None:
    """Kill a gitlab-runner at once, and return when it is dead; with `stages`, all of its session.

    One that has ended already may have left its stages.
    """
    session = started.process.pid
    started.process.kill()
    started.process.wait()
    while stages and (left := of_session(session)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def of_session(session: int) -> list[int]:
    """Return the processes of a session that still do something."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(entry.parent.name))
    return found
