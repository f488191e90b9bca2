"""How a label names the gitlab-runner process that a job belongs to.

Pure: no I/O.
"""

from typing import NamedTuple

_VERSION = "1"
_UNKNOWN = f"{_VERSION}:unknown"
_LOCAL, _REMOTE = "local", "remote"
_LONGEST = 200
_LONGEST_NUMBER = 20


class Owner(NamedTuple):
    """A gitlab-runner process, told from every other one that ever ran on any host.

    A number of a process alone names many: it means something only in its PID namespace, since that
    boot, and together with the time at which the process began.
    """

    machine: str
    """The host's machine id; cloned images share it."""
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


def owner_text(owner: Owner | None) -> str:
    """Return the label's value, also of an owner that nobody knows."""
    return _UNKNOWN if owner is None else str(owner)


def parse_owner(text: str) -> Owner | None:
    """Return the owner that a label names; None where it names none or cannot be read."""
    fields = text.split(":") if len(text) <= _LONGEST else []
    if len(fields) != len(Owner._fields) + 1 or fields[0] != _VERSION:
        return None
    machine, boot, namespace, pid, started, where = fields[1:]
    if not all((machine, boot, _is_number(namespace), _is_number(pid), _is_number(started))):
        return None
    if where not in (_LOCAL, _REMOTE):
        return None
    return Owner(machine, boot, namespace, int(pid), int(started), where == _LOCAL)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
