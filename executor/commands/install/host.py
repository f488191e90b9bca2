"""What the host has of dind-executor besides its versions: command, settings, log, state, snippets.

A snippet is a file that another program of the host reads; its first line says what `install` wrote, as
for the units.  Only the standard library is needed.
"""

import grp
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from executor.commands.install.versions import PACKAGE, Versions
from executor.commands.units.sealed import remove_sealed, write_sealed

SETTINGS = Path("/etc/dind-executor/settings.toml")
COMMAND = Path("/usr/local/bin/dind-executor")
_PACKAGED_COMMAND = Path("/usr/bin/dind-executor")
LOG_DIRECTORY = Path("/var/log/dind-executor")
STATE_DIRECTORY = Path("/var/lib/dind-executor")
GROUP = "dind-executor"
"""Who is in it may read the administrator's log."""

_OWNER = "gitlab-runner"
_LOGROTATE = Path("/etc/logrotate.d/dind-executor")
_SYSUSERS = Path("/usr/lib/sysusers.d/dind-executor.conf")
_SETTINGS_PROGRAM = (
    "from executor.settings.manual import installed_settings as s; print(s(), end='')"
)


def put_on_host(versions: Versions, root: Path = Path("/")) -> Iterator[str]:
    """Put everything where the defaults look for it; yield a sentence on what is worth one.

    Raises CalledProcessError or OSError.
    """
    if command_of(versions) == COMMAND:
        _link(_at(root, COMMAND), versions.command)
    else:
        _unlink(_at(root, COMMAND))
    snippet = _at(root, _SYSUSERS)
    if said := write_sealed(snippet, f'g {GROUP} - "Readers of the log of dind-executor"\n'):
        yield said
    _make_group(snippet)
    for directory, mode in ((LOG_DIRECTORY, 0o2750), (STATE_DIRECTORY, 0o750)):
        path = _at(root, directory)
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        with suppress(LookupError):  # gitlab-runner runs as root, or is installed later
            shutil.chown(path, _OWNER, _OWNER)
        if directory == LOG_DIRECTORY:
            with suppress(LookupError):  # there is nothing that makes groups
                shutil.chown(path, group=GROUP)
                path.chmod(mode)
    if said := write_sealed(_at(root, _LOGROTATE), _logrotate(_at(root, LOG_DIRECTORY))):
        yield said
    settings = _at(root, SETTINGS)
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(_default_settings(versions), encoding="utf-8")
        yield f"Wrote the default settings to {settings}."


def take_from_host(root: Path = Path("/")) -> Iterator[str]:
    """Remove all that `put_on_host` has put there but the settings; yield a sentence on what stays.

    Raises OSError.
    """
    _unlink(_at(root, COMMAND))
    for path in (_LOGROTATE, _SYSUSERS):
        if said := remove_sealed(_at(root, path)):
            yield said
    for directory in (LOG_DIRECTORY, STATE_DIRECTORY):
        shutil.rmtree(_at(root, directory), ignore_errors=True)
    with suppress(OSError, KeyError):
        grp.getgrnam(GROUP)
        subprocess.run(["groupdel", GROUP], check=False, capture_output=True)


def command_of(versions: Versions) -> Path:
    """Return what units call: where a package has put its own link, or where `install` puts one."""
    return _PACKAGED_COMMAND if (versions.prefix / PACKAGE).is_dir() else COMMAND


def _make_group(snippet: Path) -> None:
    """Have the readers' group, by whichever program of the host makes groups."""
    for command in (["systemd-sysusers", str(snippet)], ["groupadd", "--system", GROUP]):
        with suppress(KeyError):
            grp.getgrnam(GROUP)
            return
        with suppress(OSError):
            subprocess.run(command, check=False, capture_output=True)


def _logrotate(directory: Path) -> str:
    """Return how the log is rotated: as its owner, which must not choose what root writes."""
    owner, group = directory.owner(), directory.group()
    return (
        f"{directory}/*.log {{\n"
        f"    su {owner} {group}\n"
        "    weekly\n"
        "    rotate 8\n"
        "    maxsize 100M\n"
        "    missingok\n"
        "    notifempty\n"
        "    # Each stage opens the log when it begins, and writes to that file until it ends.\n"
        "    create 0640\n"
        "    compress\n"
        "    delaycompress\n"
        "}\n"
    )


def _default_settings(versions: Versions) -> str:
    """Return the settings of the version that is the current one."""
    python = versions.command.with_name("python")
    command = [str(python), "-I", "-c", _SETTINGS_PROGRAM]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _link(path: Path, target: Path) -> None:
    fresh = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)


def _unlink(path: Path) -> None:
    if path.is_symlink():
        path.unlink()


def _at(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")
