"""Two audiences, two channels: the job log and the administrator's log.

What a stage does is noted at once and written at its end, by structlog, one line per thing done.
structlog takes longer to import than a `run` call takes in all: prepare and cleanup load it beside
their work; config and run, which have no time to spare, write the same lines without it.
"""

import _thread
import os
import time
from collections.abc import Iterable, Mapping, MutableMapping

from executor.redaction import MASK, redact

_SHORTEST_IN_JOB_LOG = 8
"""GitLab masks values from this length on."""

_JOURNAL = "/run/systemd/journal/socket"
_JOURNAL_SECONDS = 1.0
_SHORT_STAGES = ("config", "run")


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


class OperatorLog:
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

    def preload(self) -> None:
        """Import structlog in the background, while the engine works."""
        if self._writes:
            _thread.start_new_thread(_import_structlog, ())

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
                    f"WARNING: The operator's log {path or kind} cannot be written:"
                    f" {error.strerror or error}. The job goes on; see `[log]` of the runner's settings."
                )

    @property
    def _writes(self) -> bool:
        return self._target.partition(":")[0] in {"file", "journal"}

    def _rendered(self) -> list[str]:
        """Return the lines; the short stages have the same processors without loading structlog."""
        if self._stage in _SHORT_STAGES:
            return self._rendered_plainly()
        import structlog  # loaded beside the work, see `preload`

        lines: list[str] = []
        logger = structlog.wrap_logger(
            structlog.PrintLogger(_Lines(lines)),  # type: ignore[arg-type]
            processors=[_stamp, self._redacted, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.BoundLogger,
            context_class=dict,
        ).bind(**self._context)
        for event in self._events:
            logger.info(**event)
        return lines

    def _rendered_plainly(self) -> list[str]:
        import json  # noqa: PLC0415

        lines = []
        for event in self._events:
            fields: MutableMapping[str, object] = {**self._context, **event}
            # structlog puts the event's name last.
            fields["event"] = fields.pop("event")
            lines.append(json.dumps(self._redacted(None, "info", _stamp(None, "info", fields))))
        return lines

    @property
    def _context(self) -> dict[str, object]:
        return {"stage": self._stage, **self._facts}

    def _redacted(
        self, _logger: object, _name: str, event: MutableMapping[str, object]
    ) -> Mapping[str, object]:
        """Take the secrets out of every text; the last processor before rendering."""
        return {
            key: redact(value, self._secrets) if isinstance(value, str) else value
            for key, value in event.items()
        }


class _Lines:
    """A file for structlog's PrintLogger that keeps lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        if text.strip():
            self._lines.append(text.rstrip("\n"))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _import_structlog() -> None:
    import structlog  # noqa: F401


def _stamp(
    _logger: object, _name: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Write the time as ISO 8601 in UTC, to the millisecond."""
    moment = float(str(event["timestamp"]))
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return {**event, "timestamp": f"{whole}.{int(moment % 1 * 1000):03d}Z"}


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
