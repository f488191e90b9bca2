"""The id by which GitLab tells the gitlab-runners of one token from each other: read from files.

gitlab-runner keeps it beside its configuration, and tells it no stage.
"""

import os

_PROC = "/proc"
_FILE = ".runner_system_id"
_OPTIONS = ("--config", "-c")
_LONGEST = 64
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def runner_system_id(pid: int, default_config: str, proc: str = _PROC) -> str:
    """Return the system id of a gitlab-runner process, "" where it is not known.

    `default_config` is where it looks for its configuration unless an option says otherwise.
    """
    config = _config(_read(f"{proc}/{pid}/cmdline", 1 << 16)) or default_config
    if not config.startswith("/"):
        try:
            config = f"{os.readlink(f'{proc}/{pid}/cwd')}/{config}"  # noqa: PTH115
        except OSError:
            return ""
    return system_id_beside(config)


def system_id_beside(config: str) -> str:
    """Return the system id beside a configuration, "" where there is none."""
    found = _read(f"{config.rpartition('/')[0]}/{_FILE}", _LONGEST + 1).strip()
    return found if len(found) <= _LONGEST and _CHARACTERS.issuperset(found) else ""


def _config(command_line: str) -> str:
    """Return the configuration file that a command line names, "" where it names none."""
    words = command_line.split("\0")
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, given, value = word.partition("=")
        if name in _OPTIONS:
            return value if given else following
    return ""


def _read(path: str, most: int) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, most).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
