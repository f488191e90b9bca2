"""Two audiences, two channels: the job log and the administrator's log.

What a stage does is noted at once and written at its end, one line of JSON per thing done.  The
lines are those of structlog's `JSONRenderer`; structlog itself takes longer to import than a `run`
call takes in all, so no stage loads it.
"""

import os
import time
from collections.abc import Iterable

from executor.redaction import MASK, redact

_SHORTEST_IN_JOB_LOG = 8
"""GitLab masks values from this length on."""

_JOURNAL = "/run/systemd/journal/socket"
_JOURNAL_SECONDS = 1.0


def say(text: str) -> None:
    """Print one line to the job log."""
    _write(1, f"{text}\n")


def complain(text: str) -> None:
    """Print one line to stderr, which reaches the job log, or the runner's own in cleanup."""
    _write(2, f"{text}\n")


def write_through(descriptor: int, data: bytes) -> None:
    """Write all of `data` to our own stdout or stderr."""
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
        self._stage = stage
        self._events: list[dict[str, object]] = []
        self._facts: dict[str, object] = {}
        self._secrets: tuple[str, ...] = ()
        self._target = ""
        self._started = time.monotonic()

    def open(self, target: str, job_id: object, project_id: object) -> None:
        """Say where to write: `file:<path>`, `journal:` or `none:`."""
        self._target = target
        self._facts = {"job_id": job_id, "project_id": project_id}

    def hide(self, secrets: Iterable[str]) -> None:
        """Add values that must not be written."""
        self._secrets = (*self._secrets, *secrets)

    @property
    def hides(self) -> bool:
        """Tell whether there are values that must not be written."""
        return bool(self._secrets)

    def without_secrets(self, text: str) -> str:
        """Return a sentence for the job log: the engine and dind may have quoted a secret.

        Short secrets stay: they would mask every second word of a remedy.
        """
        for secret in self._secrets:
            if len(secret) >= _SHORTEST_IN_JOB_LOG:
                text = text.replace(secret, MASK)
        return text

    def event(self, event: str, **facts: object) -> None:
        """Note that something was done."""
        self._events.append({"event": event, "timestamp": time.time(), **facts})

    def done(self, event: str, started: float, **facts: object) -> None:
        """Note something done with the seconds since `started` (of `time.monotonic`)."""
        self.event(event, seconds=round(time.monotonic() - started, 3), **facts)

    def close(self, outcome: str) -> None:
        """Write everything; a log that cannot be written is said once and fails nothing."""
        self.done("stage ended", self._started, outcome=outcome)
        if not self._writes:
            return
        try:
            lines = self._rendered()
            if self._target.startswith("journal:"):
                _to_journal(lines)
            else:
                _append(self._target.partition(":")[2], lines)
        except OSError as error:
            if self._stage == "prepare":
                kind, _, path = self._target.partition(":")
                complain(
                    f"WARNING: The administrator's log {path or kind} cannot be written:"
                    f" {error.strerror or error}. The job goes on; see `[log]` of the runner's settings."
                )

    @property
    def _writes(self) -> bool:
        return self._target.partition(":")[0] in {"file", "journal"}

    def _rendered(self) -> list[str]:
        """Return the lines, without the secrets that are known by now."""
        import json  # noqa: PLC0415

        return [json.dumps(self._redacted(each)) for each in self._events]

    def _redacted(self, event: dict[str, object]) -> dict[str, object]:
        """Return the fields of an event in their order, its name last, with no secret in a text."""
        fields = {"stage": self._stage, **self._facts, **event, "timestamp": _written(event)}
        fields["event"] = fields.pop("event")
        return {
            key: redact(value, self._secrets) if isinstance(value, str) else value
            for key, value in fields.items()
        }


def _written(event: dict[str, object]) -> str:
    """Return the time of an event as ISO 8601 in UTC, to the millisecond."""
    moment = float(str(event["timestamp"]))
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}Z"


def _append(path: str, lines: list[str]) -> None:
    """Append in one write, so that the lines of stages that end together do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(descriptor)


def _to_journal(lines: list[str]) -> None:
    """Send each line by journald's native protocol."""
    import socket  # noqa: PLC0415

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        # A journald that hangs must not make every stage hang at its end.
        journal.settimeout(_JOURNAL_SECONDS)
        journal.connect(_JOURNAL)
        for line in lines:
            journal.send(f"PRIORITY=6\nSYSLOG_IDENTIFIER=dind-executor\nMESSAGE={line}\n".encode())
