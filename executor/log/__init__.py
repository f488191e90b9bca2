"""Two audiences, two channels: the job log and the administrator's log.

What a stage does is noted at once, and written when the stage ends (`log.lines`).
"""

import os
import time
from _collections_abc import Iterable


def say(text: str) -> None:
    """Print one line to the job log."""
    _write(1, f"{text}\n")


def complain(text: str) -> None:
    """Print one line to stderr, which reaches the job log, or the runner's own in cleanup."""
    _write(2, f"{text}\n")


def write_through(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however often that takes.  Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write(descriptor: int, text: str) -> None:
    """Write in one call, so that lines of different threads do not mix."""
    try:
        os.write(descriptor, text.encode(errors="replace"))
    except OSError:
        return


class AdministratorLog:
    """Collects the events of one stage and writes them when it ends."""

    def __init__(self, stage: str) -> None:
        """Start collecting; nothing is written before `open` said where to."""
        self.stage = stage
        self.noted: list[tuple[float, dict[str, object]]] = []
        self.job: dict[str, object] = {}
        self.secrets: tuple[str, ...] = ()
        self.target = self.spool = self.capture = ""
        self.started = time.monotonic()

    def open(
        self, target: str, job_id: object, project_id: object, spool: str = "", **facts: object
    ) -> None:
        """Say where to write: `file:<path>`, `journal:` or `none:`.

        The stage's record goes to `spool`, "" for nowhere, and has more `facts` of the job.
        """
        self.target, self.spool = target, spool
        self.job = {"job_id": job_id, "project_id": project_id, **facts}

    def hide(self, secrets: Iterable[str]) -> None:
        """Add values that must not be written."""
        self.secrets = (*self.secrets, *secrets)

    def without_secrets(self, text: str) -> str:
        """Return words for the job log: the engine and dind may have quoted a secret.

        Short secrets stay: they would mask every second word of a remedy.
        """
        from executor.log.lines import masked  # noqa: PLC0415 (after a failure only)

        return masked(text, self.secrets)

    def readable(self, text: str) -> str:
        """Return sentences for the job log: without secrets, and none longer than people read."""
        from executor.excerpts import readable  # noqa: PLC0415 (`run` says little)

        return readable(self.without_secrets(text))

    def event(self, event: str, **facts: object) -> None:
        """Note that something was done."""
        self.noted.append((time.monotonic(), {"event": event, "timestamp": time.time(), **facts}))

    def done(self, event: str, started: float, **facts: object) -> None:
        """Note something done with the seconds since `started` (of `time.monotonic`)."""
        self.event(event, seconds=round(time.monotonic() - started, 3), **facts)

    def close(self, outcome: str) -> None:
        """Write everything; a log that cannot be written is said once and fails nothing."""
        self.done("stage ended", self.started, outcome=outcome)
        if self.target.startswith(("file:", "journal:")):
            from executor.log.lines import write  # noqa: PLC0415 (at the end)

            write(self)
