"""The service that runs gitlab-runner, as systemd has it; and the units of dind-executor."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from executor.commands import units
from executor.commands.fleet.host import Host

UNIT = "gitlab-runner.service"
_SECONDS = 60
_CONFIG = re.compile(r"\s(?:--config|-c)[ =](/[^\s;]+)")


class Units(NamedTuple):
    """What became of the units."""

    written: tuple[Path, ...]
    """The files that were not there before."""
    said: tuple[str, ...]
    """A sentence on each thing that is not as it would be."""


def write_units(
    command: Path, job_seconds: Callable[[], int | None], root: Path = Path("/")
) -> Units:
    """Write the units of dind-executor that are not there, and have systemd know them.

    Raises OSError.
    """
    directory = root / "etc/systemd/system"
    missing = [
        directory / name
        for name in units.unit_files(command, None)
        if not (directory / name).exists()
    ]
    if not missing:
        return Units((), ())
    said = units.write_units(root, command, job_seconds())
    return Units(tuple(missing), tuple(each for each in (*said, units.switch_on(None)) if each))


def is_systemd_running() -> bool:
    """Tell whether systemd is this host's init."""
    return units.is_systemd_running()


def is_running() -> bool:
    """Tell whether the service runs."""
    return _systemctl("is-active", "--quiet", UNIT) == ""


def is_drained() -> bool:
    """Tell whether `fleet drain` has had the service end, or has it end."""
    return Host().is_drained


def config() -> str:
    """Return which config.toml the service reads, "" where nobody says."""
    try:
        done = subprocess.run(
            ["systemctl", "show", "--property", "ExecStart", UNIT],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = _CONFIG.search(done.stdout)
    return found[1] if found else ""


def started() -> list[str]:
    """Have the service run, now and after each boot; return what is left to do by hand."""
    if is_running():
        return []
    if is_drained():
        return [
            (
                "This host is drained, and gitlab-runner's service stays so: `dind-executor fleet undrain"
                " --yes` starts it."
            )
        ]
    wrong = _systemctl("enable", "--quiet", "--now", UNIT)
    if not wrong:
        return []
    return [
        (
            f"gitlab-runner's service does not start: {wrong}. See `systemctl status gitlab-runner`."
            " `gitlab-runner install` makes it where it is missing."
        )
    ]


def _systemctl(*args: str) -> str:
    command = ["systemctl", *args]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"`{' '.join(command)}` takes longer than {_SECONDS} seconds"
    except OSError as error:
        return f"`{' '.join(command)}` does not start: {error.strerror}"
    words = " ".join(done.stderr.split()).rstrip(".")
    return "" if done.returncode == 0 else words or f"exit code {done.returncode}"
