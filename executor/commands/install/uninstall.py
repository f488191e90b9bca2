"""`dind-executor uninstall`: removes everything from a host but the settings, while no job runs."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from executor.commands import units
from executor.commands.install.command import PREFIX
from executor.commands.install.host import SETTINGS, STATE_DIRECTORY, take_from_host
from executor.commands.install.jobs import RunningJob, of_prefix, running_jobs
from executor.commands.install.versions import PACKAGE, Versions, own_prefix

_AWAY = ".hooks-taken-away"


def main(args: list[str]) -> int:
    """Remove; return an exit code. 0: done. 1: a job runs. 2: wrong use."""
    given = _parser().parse_args(args)
    versions = Versions(given.prefix.absolute())
    if not versions.names() and not given.from_package:
        return _refuse(f"There is nothing of dind-executor in {versions.prefix}.")
    if (versions.prefix / PACKAGE).exists() and not given.from_package:
        return _refuse(
            "A package has installed it: remove that, as with `apt-get remove dind-executor` or"
            " `dnf remove dind-executor`."
        )
    if not os.access(versions.prefix, os.W_OK):
        return _refuse(f"{versions.prefix} is not writable. Run this as root.")
    try:
        if jobs := _taken_away(versions, force=given.force):
            return _refuse(_still_run(jobs), code=1)
        for sentence in _remove(versions):
            print(sentence)
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}. Correct it, then run this again.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor uninstall",
        description="Remove the versions, hooks, units, log and state from a runner host. The settings"
        " stay, and so do images, volumes and kept networks on the Docker Engine.",
    )
    parser.add_argument(
        "--prefix",
        type=Path,
        default=own_prefix(PREFIX),
        help="where it is (default: %(default)s)",
    )
    parser.add_argument(
        "--force", action="store_true", help="also while jobs run: they fail at their next stage"
    )
    # What a package's own scripts say.
    parser.add_argument("--from-package", action="store_true", help=argparse.SUPPRESS)
    return parser


def _taken_away(versions: Versions, *, force: bool) -> list[RunningJob]:
    """Take the hooks away, so that no job begins; return the jobs for which they were put back."""

    def running() -> list[RunningJob]:
        return [] if force else of_prefix(running_jobs(str(STATE_DIRECTORY)), versions.prefix)

    hooks, away = versions.hooks, versions.prefix / _AWAY
    if jobs := running():
        return jobs
    if not hooks.is_dir():
        return []  # an earlier call has come as far as this
    shutil.rmtree(away, ignore_errors=True)
    hooks.rename(away)
    # One may have begun after the look.
    if jobs := running():
        away.rename(hooks)
    return jobs


def _still_run(jobs: list[RunningJob]) -> str:
    named = "; ".join(map(str, jobs))
    return (
        f"{len(jobs)} still running: {named}. Stop gitlab-runner gracefully, which waits for its jobs,"
        " or remove its runner, and try again."
    )


def _remove(versions: Versions) -> list[str]:
    """Remove what is there; return what is worth a sentence."""
    said: list[str] = []
    if versions.prefix == PREFIX:
        said += units.remove_units(Path("/"))
        said += take_from_host()
        said.append(f"The settings stay in {SETTINGS.parent}.")
    names = versions.names() or ["nothing"]
    for each in (*versions.own_paths(), versions.prefix / _AWAY):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
    left = [each.name for each in versions.prefix.iterdir() if each.name != PACKAGE]
    if left:
        said.append(f"{versions.prefix} has other files, which stay: {', '.join(sorted(left))}.")
    elif not (versions.prefix / PACKAGE).exists():
        versions.prefix.rmdir()
    return [f"Removed {', '.join(names)} from {versions.prefix}.", *said]


def _refuse(sentence: str, code: int = 2) -> int:
    print(f"dind-executor uninstall: {sentence}", file=sys.stderr)
    return code
