"""What `register` says at its end: what is left to do, and how to undo it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from executor.commands import units
from executor.commands.register import service
from executor.commands.register.config_file import Written
from executor.commands.register.creation import Created
from executor.commands.register.options import Options
from executor.commands.register.service import Units
from executor.commands.units import TIMERS
from executor.engine.docker import Engine
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import load_settings


def made_units(settings: str) -> Units:
    """Have systemd stop gitlab-runner gracefully, and clean up; what does not work is a sentence."""
    command = Path(shutil.which("dind-executor") or "/usr/local/bin/dind-executor")
    try:
        return service.write_units(command, lambda: _longest_job(settings))
    except OSError as error:
        return Units((), (f"{error.filename} cannot be written: {error.strerror}.",))


def _longest_job(settings: str) -> int | None:
    address, tls_dir, tls_verify = engine_address(load_settings(settings), RunnerEnv.current())
    return units.longest_job(Engine.at(address, tls_dir, tls_verify=tls_verify))


def last_words(
    options: Options, written: Written, made: Units, created: Created | None, *, runs: bool
) -> list[str]:
    """Return what is done and how to undo it; `runs` tells whether gitlab-runner is known to run."""
    since = "from now on" if runs else "once it runs"
    lines = [f"gitlab-runner takes jobs from {options.url} {since}.", "To undo this:"]
    config = written.path
    if written.backup is None:
        lines.append(f"  rm {config}")
    else:
        lines.append(f"  mv {written.backup} {config}   # unless it was changed since")
    lines += _without_units(made.written)
    number = f" {created.id}" if created else f" {options.name!r}"
    lines.append(f"  and delete the runner{number} in GitLab")
    return lines


def _without_units(paths: Sequence[Path]) -> list[str]:
    if not paths:
        return []
    timers = [each for each in TIMERS if any(path.name == each for path in paths)]
    first = [f"  systemctl disable --now {' '.join(timers)}"] if timers else []
    return [*first, f"  rm {' '.join(map(str, paths))}", "  systemctl daemon-reload"]
