"""Which gitlab-runner process this one works for, and where it lives: read from /proc.

Nothing is run, and nobody is asked.  config loads this, so its classes are plain: a NamedTuple takes
0.1 ms to make.
"""

import os
from collections.abc import Callable

from executor.notation.owner import NO_MACHINE, Owner

_PROC = "/proc"
_MACHINE_ID = "/etc/machine-id"
_MACHINE_ID_DIGITS = 32
_RUNNER = b"gitlab-runner"
_MOST_ANCESTORS = 64
_CONTAINER_ID_DIGITS = 64
_OWN_FILES = ("hostname", "hosts", "resolv.conf")
"""What the Docker Engine mounts from a directory that is named after the container."""


class Process:
    """What the kernel says of a process."""

    __slots__ = ("ended", "group", "name", "parent", "started")

    def __init__(self, name: bytes, parent: int, group: int, started: int, *, ended: bool) -> None:
        """Take the name of at most 15 bytes, which may be any, and the rest.

        `parent` is 0 where it cannot be seen from here, `started` is in clock ticks since the boot,
        and `ended` tells whether only its parent has not heard of its end yet.
        """
        self.name = name
        self.parent = parent
        self.group = group
        self.started = started
        self.ended = ended


class Host:
    """Where this process lives, in the words of `notation.owner.Owner`; empty is not known."""

    __slots__ = ("boot", "machine", "namespace")

    def __init__(self, machine: str, boot: str, namespace: str) -> None:
        """Take what is known."""
        self.machine = machine
        self.boot = boot
        self.namespace = namespace


def this_host(proc: str = _PROC, machine_id_file: str = _MACHINE_ID) -> Host:
    """Return where this process lives; the namespace is the one whose numbers /proc has."""
    machine = machine_id(machine_id_file) or NO_MACHINE
    return Host(machine, boot_id(proc), pid_namespace("self", proc))


def find_owner(
    *, local: bool, proc: str = _PROC, machine_id_file: str = _MACHINE_ID
) -> Owner | None:
    """Return the gitlab-runner process that this one works for; None where none can be seen.

    `local` tells whether the Docker Engine is on this machine.
    """
    found = _ancestor(proc)
    if found is None:
        return None
    pid, process = found
    boot, namespace = boot_id(proc), pid_namespace(pid, proc)
    if not boot or not namespace:
        return None
    machine = machine_id(machine_id_file) or NO_MACHINE
    return Owner(machine, boot, namespace, pid, process.started, local)


def read_process(pid: int | str, proc: str = _PROC) -> Process | None:
    """Return what the kernel says of a process; None where there is none, or it may not be seen."""
    # The name stands in brackets, and may have brackets, spaces and line ends in it.
    head, bracket, rest = _read(f"{proc}/{pid}/stat").rpartition(b") ")
    name = head.partition(b" (")[2]
    fields = rest.split()
    try:
        parent, group, threads, started = (int(fields[place]) for place in (1, 2, 17, 19))
    except (IndexError, ValueError):
        return None
    # Other threads outlive the first one, which then looks as the whole process does at its end.
    ended = fields[0] in {b"Z", b"X"} and threads <= 1
    return Process(name, parent, group, started, ended=ended) if bracket else None


def lives(
    pid: int,
    started: int,
    proc: str = _PROC,
    send: Callable[[int, int], None] = os.kill,
) -> bool | None:
    """Tell whether a process that began then is there; None where that cannot be told.

    To be asked in its own PID namespace.  /proc may hide other users' processes (hidepid), so that no
    file there is no proof: the kernel itself is asked.
    """
    try:
        send(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    process = read_process(pid, proc)
    return None if process is None else process.started == started and not process.ended


def machine_id(file: str = _MACHINE_ID) -> str:
    """Return a digest of the machine's id, empty where it has none.

    Its manual asks not to show the id itself to others; labels are seen by all who use the engine.
    """
    from executor.digests import sha256  # noqa: PLC0415 (not for every call)

    text = _read(file).strip()
    if len(text) != _MACHINE_ID_DIGITS or not _is_hexadecimal(text):
        return ""
    return sha256(b"dind-executor\n" + text).hexdigest()[:16]


def boot_id(proc: str = _PROC) -> str:
    """Return the id of the host's boot, empty where it cannot be read."""
    return _read(f"{proc}/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def pid_namespace(pid: int | str = "self", proc: str = _PROC) -> str:
    """Return the PID namespace in which a process has the number that it has in /proc.

    Empty where that is not known: /proc may be that of an outer one, and numbers in it other ones.
    """
    for each in (pid, "self"):
        if not is_numbered_once(each, proc):
            return ""
        try:
            target = os.readlink(f"{proc}/{each}/ns/pid")  # noqa: PTH115 (pathlib costs 9 ms)
        except OSError:
            # Another user's process (sudo).  In a /proc of our own namespace it is in ours, as the ones
            # of inner namespaces have several numbers.
            continue
        number = target.removeprefix("pid:[").removesuffix("]")
        return number if number.isdecimal() and number.isascii() else ""
    return ""


def own_container(proc: str = _PROC) -> str:
    """Return the id of the container that this process seems to run in; empty where in none.

    Only the engine can confirm it.  A container that shares another one's network has that one's
    files.
    """
    found = set()
    for line in _read(f"{proc}/self/mountinfo").decode("utf-8", "replace").splitlines():
        fields = line.split(" ")
        root, place = fields[3:5] if len(fields) > 5 else ("", "")  # noqa: PLR2004
        directory, _, name = root.rpartition("/")
        parent, _, identity = directory.rpartition("/")
        if name in _OWN_FILES and place == f"/etc/{name}" and parent.endswith("/containers"):
            found.add(identity)
    identity = found.pop() if len(found) == 1 else ""
    is_id = len(identity) == _CONTAINER_ID_DIGITS and _is_hexadecimal(identity.encode())
    return identity if is_id else ""


def _ancestor(proc: str) -> tuple[int, Process] | None:
    """Return the nearest ancestor that is a gitlab-runner; wrappers may lie in between."""
    child = read_process("self", proc)
    for _ in range(_MOST_ANCESTORS):
        if child is None or child.parent <= 0:
            return None
        pid = child.parent
        process = read_process(pid, proc)
        # A parent is older than its child, or its number is another process's by now.
        if process is None or process.started > child.started:
            return None
        # gitlab-runner gives each hook a process group of its own; an administrator's wrapper, whatever
        # its name, is in the same one as what it calls.  `timeout` makes another one, but the program of
        # a script is its shell.
        is_runner = process.name.startswith(_RUNNER) and process.group != child.group
        if is_runner and _program(pid, proc).startswith(_RUNNER):
            return pid, process
        child = process
    return None


def _program(pid: int, proc: str) -> bytes:
    """Return the name of the program that a process says it runs."""
    return _read(f"{proc}/{pid}/cmdline").partition(b"\0")[0].rpartition(b"/")[2]


def is_numbered_once(pid: int | str, proc: str = _PROC) -> bool:
    """Tell whether a process is in the namespace of /proc itself, and not in one inside of it.

    Those of containers are in one inside: a job names its processes and sets their variables.
    """
    for line in _read(f"{proc}/{pid}/status").splitlines():
        if line.startswith(b"NSpid:"):
            return len(line.split()) == 2  # noqa: PLR2004
    return False


def _is_hexadecimal(text: bytes) -> bool:
    return all(each in b"0123456789abcdef" for each in text)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib costs 9 ms a stage)
            return file.read()
    except OSError:
        return b""
