"""The lines of the administrator's log, and the two places that they go to.

A line is what structlog's `JSONRenderer` would write.  structlog itself takes longer to import than
a `run` call takes in all, so no stage loads it; and this module is loaded when a stage ends.
"""

import os
import time

from executor.excerpts import excerpt, readable, without_halves
from executor.log import complain
from executor.quick_json import dumps
from executor.redaction import redact, without

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from executor.log import AdministratorLog

_SHORTEST_IN_JOB_LOG = 8
"""GitLab masks values from this length on."""

_LONGEST_TEXT = 4000
"""How many characters of a line one text may take, as it is written there."""
_LONGEST_ESCAPE = 6

_FACTS = ("job_id", "project_id")
"""What each line says of the job."""

_JOURNAL = "/run/systemd/journal/socket"
_JOURNAL_SECONDS = 1.0


def write(log: "AdministratorLog") -> None:
    """Write all that a stage has noted; say once in a job's log where that cannot be written."""
    kind, _, path = log.target.partition(":")
    facts = {"stage": log.stage, **{each: log.job[each] for each in _FACTS}}
    lines = [rendered(facts, event, log.secrets) for _, event in log.noted]
    try:
        if kind == "file":
            to_file(path, lines)
        else:
            to_journal(lines)
    except OSError as error:
        if log.stage == "prepare":
            complain(
                f"WARNING: The administrator's log {path or kind} cannot be written:"
                f" {error.strerror or error}. The job continues. Check `[log]` in the"
                " settings of dind-executor. `dind-executor doctor --only log` looks at this."
            )


def masked(text: str, secrets: tuple[str, ...]) -> str:
    """Return a sentence for the job log without the secrets that GitLab would mask.

    Short ones stay: they would mask every second word of a remedy.
    """
    long = [each for each in secrets if len(each) >= _SHORTEST_IN_JOB_LOG]
    return without_halves(without(text, long), long)


def rendered(facts: dict[str, object], event: dict[str, object], secrets: tuple[str, ...]) -> str:
    """Return the line of an event: its fields behind those of the stage, its name last.

    No text in it holds a secret, or is longer than people read.
    """
    fields = {**facts, **event, "timestamp": _written(event)}
    fields["event"] = fields.pop("event")
    return dumps(
        {
            key: _shown(without_halves(redact(value, secrets), secrets))
            if isinstance(value, str)
            else value
            for key, value in fields.items()
        }
    )


def _shown(text: str) -> str:
    """Return a text whose escapes count: somebody's 200 lines are one of ours."""
    text = readable(text)
    while _LONGEST_ESCAPE * len(text) > _LONGEST_TEXT and len(dumps(text)) > _LONGEST_TEXT:
        text = excerpt(text, len(text) // 2)
    return text


def _written(event: dict[str, object]) -> str:
    """Return the time of an event as ISO 8601 in UTC, to the millisecond."""
    moment = float(str(event["timestamp"]))
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}Z"


def to_file(path: str, lines: list[str]) -> None:
    """Append in one write, so that the lines of stages that end together do not mix.

    Nobody is waited for: neither a pipe's reader, nor one that does not keep up.  Raises OSError.
    """
    how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, how, 0o640)
    try:
        if os.geteuid() == 0:
            _give_away(descriptor, path)
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(descriptor)


def _give_away(descriptor: int, path: str) -> None:
    """Let the directory's owner have a log that root has just made.  Raises OSError.

    `dind-executor reap` runs as root, and the stages, which write to the same file, as gitlab-runner's
    user.  What is there already, or elsewhere behind a link, keeps its owner.
    """
    import stat  # noqa: PLC0415 (root only)

    made = os.fstat(descriptor)
    directory = os.stat(path.rpartition("/")[0] or "/")  # noqa: PTH116 (pathlib costs 9 ms)
    is_fresh = stat.S_ISREG(made.st_mode) and made.st_nlink == 1 and not made.st_size
    if is_fresh and os.path.samestat(made, os.lstat(path)):
        os.fchown(descriptor, directory.st_uid, directory.st_gid)


def to_journal(lines: list[str]) -> None:
    """Send each line by journald's native protocol.  Raises OSError."""
    import socket  # noqa: PLC0415 (a file is what most logs are)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        # A journald that hangs must not make every stage hang at its end.
        journal.settimeout(_JOURNAL_SECONDS)
        journal.connect(_JOURNAL)
        for line in lines:
            journal.send(f"PRIORITY=6\nSYSLOG_IDENTIFIER=dind-executor\nMESSAGE={line}\n".encode())
