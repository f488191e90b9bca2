"""Which user gitlab-runner runs as, and in which groups: by its process, its unit, or the files."""

from collections.abc import Iterator

from executor.bounds import whole_number
from executor.commands.doctor.facts import Process, Service
from executor.commands.doctor.files import Files, User

_FIELDS = 4


def user_of(files: Files, given: str, process: Process | None, service: Service | None) -> User:
    """Return the user; a name that is given counts before all."""
    if given:
        return _named(files, given, "--user")
    if process:
        return _of_process(files, process)
    unit = service.properties.get("User", "") if service and service.found else ""
    if unit:
        return _named(files, unit, "User= of its unit")
    return User("root", 0, frozenset({0}), "where its unit names no user")


def uid_of(files: Files, name: str) -> int:
    """Return a user's number by a name or a number; -1 where there is no such user."""
    return _named(files, name, "").uid


def _of_process(files: Files, process: Process) -> User:
    """Return the user of a process, with the groups that it has now."""
    fields: dict[str, list[int]] = {}
    for line in files.text(f"/proc/{process.pid}/status").splitlines():
        name, _, values = line.partition(":")
        numbers = (whole_number(each) for each in values.split())
        fields[name] = [each for each in numbers if each is not None]
    uid = (fields.get("Uid") or [0, 0])[1]
    gid = (fields.get("Gid") or [0, 0])[1]
    groups = frozenset((gid, *fields.get("Groups", [])))
    names = {number: name for name, number, _ in _users(files)}
    return User(names.get(uid, str(uid)), uid, groups, f"process {process.pid}", gid)


def _named(files: Files, name: str, how: str) -> User:
    known = {each: (uid, gid) for each, uid, gid in _users(files)}
    number = whole_number(name)
    if name not in known and number is None:
        return User(name, -1, frozenset(), f"{how}, and there is no such user")
    uid, gid = known.get(name, (number or 0, number or 0))
    groups = {gid}
    for line in files.text("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) >= _FIELDS and name in fields[3].split(","):
            groups.add(whole_number(fields[2]) or 0)
    return User(name, uid, frozenset(groups), how, gid)


def _users(files: Files) -> Iterator[tuple[str, int, int]]:
    for line in files.text("/etc/passwd").splitlines():
        fields = line.split(":")
        numbers = [whole_number(each) for each in fields[2:4]]
        if len(numbers) == 2 and None not in numbers:  # noqa: PLR2004
            yield fields[0], numbers[0] or 0, numbers[1] or 0
