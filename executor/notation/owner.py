"""How labels, and a note beside the payload, say who a job belongs to.

Pure: no I/O.
"""

from collections.abc import Mapping
from typing import NamedTuple

from executor.bounds import whole_number
from executor.names import (
    DEADLINE_LABEL,
    GITLAB_LABEL,
    JOB_ID_LABEL,
    LABEL,
    OWNER_CONTAINER_LABEL,
    OWNER_LABEL,
    PROJECT_LABEL,
    TEMP_DIR_LABEL,
)
from executor.quick_json import dumps, loads

NO_MACHINE = "-"
"""Stands for the machine's id where a host or container has none: then a boot id alone says which
machine it is, and another boot id may be another machine's."""

AFTER_TIMEOUT_SECONDS = 2 * 3600
"""What a job may take beyond its timeout: after_script (5 minutes unless the job wants more), the end
of its containers, cleanup (15 minutes), and some."""

_VERSION = "1"
_UNKNOWN = f"{_VERSION}:unknown"
_LOCAL, _REMOTE = "local", "remote"
_LONGEST = 200


class Owner(NamedTuple):
    """A gitlab-runner process, told from every other one that ever ran on any host.

    A number of a process alone names many: it means something only in its PID namespace, since that
    boot, and together with the time at which the process began.
    """

    machine: str
    """A digest of the host's machine id, which cloned images share; NO_MACHINE where it has none."""
    boot: str
    """The id of the host's boot."""
    namespace: str
    """The number of the process's PID namespace."""
    pid: int
    started: int
    """When the process began, in clock ticks since the boot."""
    local: bool
    """Whether it reaches the Docker Engine on its own machine."""

    def __str__(self) -> str:
        """Return the label's value."""
        where = _LOCAL if self.local else _REMOTE
        fields = (self.machine, self.boot, self.namespace, self.pid, self.started, where)
        return ":".join((_VERSION, *map(str, fields)))


class Belonging(NamedTuple):
    """Who a job belongs to, as every object of it says; nothing of it is a secret."""

    key: str
    """The job's key; see `names.job_key`."""
    job_id: str
    project_id: str
    owner: Owner | None
    """Its gitlab-runner, None where that is not known."""
    container: str = ""
    """The engine's container that gitlab-runner runs in, as `id@StartedAt`; empty elsewhere."""
    temp_dir: str = ""
    """The job's temporary directory as gitlab-runner sees it."""
    deadline: int | None = None
    """When the job is over in any case, in seconds since 1970."""
    gitlab: str = ""
    """The address of the job's GitLab, without credentials."""

    def labels(self) -> dict[str, str]:
        """Return it as labels: all of them, as an image's label of such a name would count else."""
        return {
            LABEL: self.key,
            JOB_ID_LABEL: self.job_id,
            PROJECT_LABEL: self.project_id,
            OWNER_LABEL: owner_text(self.owner),
            OWNER_CONTAINER_LABEL: self.container,
            TEMP_DIR_LABEL: self.temp_dir,
            DEADLINE_LABEL: "" if self.deadline is None else str(self.deadline),
            GITLAB_LABEL: self.gitlab,
        }

    def note(self) -> bytes:
        """Return it as the note beside the payload: the same labels, as JSON."""
        return dumps(self.labels()).encode()


def parse_belonging(labels: Mapping[str, object]) -> Belonging | None:
    """Return what an object's labels say; None where they name no job.

    What cannot be read counts as not known.
    """

    def text(label: str) -> str:
        value = labels.get(label)
        return value if isinstance(value, str) else ""

    if not text(LABEL):
        return None
    return Belonging(
        text(LABEL),
        text(JOB_ID_LABEL),
        text(PROJECT_LABEL),
        parse_owner(text(OWNER_LABEL)),
        text(OWNER_CONTAINER_LABEL),
        text(TEMP_DIR_LABEL),
        whole_number(text(DEADLINE_LABEL)),
        text(GITLAB_LABEL),
    )


def parse_note(content: bytes) -> Belonging | None:
    """Return what a note says; None where it cannot be read, or names no job."""
    try:
        decoded = loads(content or b"{}")
    except (ValueError, RecursionError):
        return None
    return parse_belonging(decoded) if isinstance(decoded, dict) else None


def owner_text(owner: Owner | None) -> str:
    """Return the label's value, also of an owner that nobody knows."""
    return _UNKNOWN if owner is None else str(owner)


def parse_owner(text: str) -> Owner | None:
    """Return the owner that a label names; None where it names none or cannot be read."""
    fields = text.split(":") if len(text) <= _LONGEST else []
    if len(fields) != len(Owner._fields) + 1 or fields[0] != _VERSION:
        return None
    machine, boot, namespace, *numbers, where = fields[1:]
    pid, started = map(whole_number, numbers)
    if pid is None or started is None or whole_number(namespace) is None:
        return None
    if not (machine and boot) or where not in (_LOCAL, _REMOTE):
        return None
    return Owner(machine, boot, namespace, pid, started, where == _LOCAL)
