"""Which gitlab-runner runs: its words and its environment say which engine jobs get, and by which way.

Anybody may name a process like gitlab-runner's, also in a job, and the user who calls doctor may be root.
So only a process counts that systemd, root, gitlab-runner's user or this user has started.
"""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from executor.bounds import whole_number
from executor.commands.doctor.facts import Process, Service
from executor.commands.doctor.files import Files
from executor.commands.doctor.users import uid_of
from executor.host.owner import is_numbered_once

CONFIG = "/etc/gitlab-runner/config.toml"
_RUNNER = "gitlab-runner"
_DELETED = " (deleted)"
_ROOT = 0


def running(files: Files, config: str, service: Service | None, user: str) -> Process | None:
    """Return a gitlab-runner that runs, with this configuration if one is named.

    That is the main process of its unit, else one of root, of the user whom the unit or `user` names, or
    of this process's user; first one that is in no container.  Of one in a container the environment is
    left out: it speaks of another file system, and a job may have started it.
    """
    main = _main_process(service)
    trusted = {_ROOT, os.geteuid(), *_users(files, service, user)}
    found = []
    for name in files.names("/proc"):
        pid = whole_number(name)
        if pid is None or not files.text(f"/proc/{pid}/comm").startswith(_RUNNER):
            continue
        arguments = tuple(files.text(f"/proc/{pid}/cmdline").split("\0"))
        if "run" not in arguments or config not in {"", named_config(arguments) or CONFIG}:
            continue
        if pid == main or (_is_runner(files, pid) and _users_of(files, pid) <= trusted):
            in_container = not is_numbered_once(pid, files.path("/proc"))
            environ = {} if in_container else _environ(files, pid)
            found.append(Process(pid, arguments, environ, in_container))
    return min(found, key=lambda each: (each.pid != main, each.in_container), default=None)


def named_config(arguments: tuple[str, ...]) -> str:
    """Return the file that a command line of gitlab-runner names by its whole path, or ""."""
    for word, following in pairwise((*arguments, "")):
        name, given, value = word.partition("=")
        path = value if given else following
        if name in {"--config", "-c"} and path.startswith("/"):
            return path
    return ""


def _main_process(service: Service | None) -> int:
    """Return the number that systemd tells of the unit's main process; 0 where it tells none."""
    return whole_number(service.properties.get("MainPID", "")) or 0 if service else 0


def _users(files: Files, service: Service | None, user: str) -> set[int]:
    """Return who runs gitlab-runner beside root: whom the unit or the command line names."""
    named = (user, service.properties.get("User", "") if service else "")
    return {uid_of(files, each) for each in named if each} - {-1}


def _is_runner(files: Files, pid: int) -> bool:
    """Tell whether a process's program is called gitlab-runner, or may not be seen.

    Nor can its environment then.
    """
    try:
        program = str(Path(files.path(f"/proc/{pid}/exe")).readlink())
    except PermissionError:
        return True
    except OSError:
        return False
    return program.removesuffix(_DELETED).rpartition("/")[2].startswith(_RUNNER)


def _users_of(files: Files, pid: int) -> set[int]:
    """Return whom a process may act as."""
    for line in files.text(f"/proc/{pid}/status").splitlines():
        name, _, values = line.partition(":")
        if name == "Uid":
            numbers = {whole_number(each) for each in values.split()}
            return {-1 if each is None else each for each in numbers}
    return {-1}


def _environ(files: Files, pid: int) -> Mapping[str, str]:
    """Return a process's environment; empty where it may not be read."""
    pairs = (each.partition("=") for each in files.text(f"/proc/{pid}/environ").split("\0"))
    return {name: value for name, equals, value in pairs if equals}
