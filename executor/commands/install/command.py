"""`dind-executor install`: in a clone `python3 -m executor install`, as root; packages call it themselves.

The hooks lie at paths that an upgrade does not change.  Only the standard library is needed: this runs
before anything is installed.
"""

import argparse
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from executor.commands import units
from executor.commands.install.host import SETTINGS, STATE_DIRECTORY, command_of, put_on_host
from executor.commands.install.jobs import running_jobs, versions_used
from executor.commands.install.making import (
    built_version,
    clone,
    make_from_built,
    make_from_clone,
)
from executor.commands.install.versions import Versions, version_said
from executor.engine.docker import Engine
from executor.errors import SettingsError
from executor.notation.durations import gitlab_seconds
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings

PREFIX = Path("/opt/dind-executor")


def main(args: list[str]) -> int:
    """Install or upgrade; return an exit code."""
    given = _parser().parse_args(args)
    prefix: Path = given.prefix.absolute()
    if why := _why_not(given, prefix):
        return _refuse(why)
    try:
        _install(given, Versions(prefix))
        _install_units(given, Versions(prefix))
    except subprocess.CalledProcessError as error:
        words = error.stderr or "see its output above"
        return _refuse(f"Installing failed with exit code {error.returncode}: {words}.")
    except OSError as error:
        return _refuse(
            f"{error.filename}: {error.strerror}. Run this as root, or choose another"
            " directory with --prefix."
        )
    return 0


def _why_not(given: argparse.Namespace, prefix: Path) -> str:
    """Return why nothing can be installed, else ""."""
    if not (built_version() or clone()):
        return "Run `sudo python3 -m executor install` in a clone of the repository."
    if isinstance(given.offline, str) and not Path(given.offline).is_dir():
        return f"{given.offline} is not a directory of wheels."
    if given.offline is True and not built_version():
        return (
            "A clone has no wheels: name a directory of them, as in `--offline DIR`. On a host with"
            " network, `python3 -m pip wheel --wheel-dir DIR . setuptools` fills it."
        )
    if not prefix.parent.is_dir():
        return f"There is no directory {prefix.parent}. Make it, or choose another --prefix."
    if not os.access(prefix if prefix.exists() else prefix.parent, os.W_OK):
        return f"{prefix} is not writable. Run this as root, or choose another --prefix."
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor install", description="Install or upgrade on a runner host."
    )
    parser.add_argument(
        "--prefix", type=Path, default=PREFIX, help="where to install (default: %(default)s)"
    )
    parser.add_argument(
        "--offline",
        nargs="?",
        const=True,
        metavar="DIR",
        help="use no network: in a clone, take what is needed from the wheels in DIR; a package and the"
        " offline archive have everything",
    )
    parser.add_argument(
        "--units",
        action=argparse.BooleanOptionalAction,
        help="systemd units: timers that remove what dead gitlab-runners left and what exceeds its"
        " budget, and a graceful stop of gitlab-runner (default: where systemd runs, and without"
        " --prefix)",
    )
    parser.add_argument(
        "--units-root",
        metavar="DIR",
        type=Path,
        help="write the units below DIR, for an image or a package",
    )
    parser.add_argument(
        "--longest-job",
        metavar="DURATION",
        type=_duration,
        help="how long a job may take, such as `3h`: a graceful stop waits for it (default: the"
        f" longest of the jobs that the Docker Engine knows, at least {units.LONGEST})",
    )
    return parser


def _duration(text: str) -> int:
    seconds = gitlab_seconds(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration: write `3h` or `90 minutes`")
    return seconds


def _install(given: argparse.Namespace, versions: Versions) -> None:
    """Make a version, have jobs use it from now on, and remove versions that nothing uses."""
    built, source = built_version(), clone()
    if built:
        name = make_from_built(versions, built)
    else:
        wheels = Path(given.offline).absolute() if given.offline else None
        name = make_from_clone(versions, source or Path(), wheels)
    said = version_said(versions.path(name))
    versions.switch(name)
    if versions.prefix == PREFIX:
        for sentence in put_on_host(versions):
            print(sentence)
    jobs = running_jobs(str(STATE_DIRECTORY))
    for gone in versions.remove_unused(versions_used(jobs, versions.prefix)):
        print(f"Removed {versions.path(gone)}, which nothing uses any more.")
    print(f"Installed {said} in {versions.path(name)}, with its hooks in {versions.hooks}.")
    if previous := versions.previous():
        command = "dind-executor" if versions.prefix == PREFIX else versions.command
        print(f"Jobs that run keep their version. `{command} rollback` goes back to {previous}.")
    else:
        print(f"Next, register a runner: `{versions.command} register --help` says how.")
    if versions.prefix != PREFIX:
        print(
            f"With --prefix, only the hooks and {versions.command} are installed. Write the settings"
            f" with `{versions.command} settings > settings.toml`, and use your own paths in"
            " config.toml."
        )


def _install_units(given: argparse.Namespace, versions: Versions) -> None:
    """Write the systemd units, or say what does without systemd what they do."""
    usual = versions.prefix == PREFIX
    command = command_of(versions) if usual else versions.command
    runs = units.is_systemd_running()
    root: Path | None = given.units_root
    wanted = given.units
    if wanted is None:
        wanted = bool(root) or (usual and runs)
        if usual and not wanted:
            print(
                "systemd does not run here. To remove what dead gitlab-runners left, and to keep what"
                " lasts within its budgets, write these lines into /etc/cron.d/dind-executor:\n  "
                + "\n  ".join(units.cron_lines(command))
            )
    if not wanted:
        return
    if root is None and not runs:
        root = Path("/")
    job_seconds = given.longest_job or units.longest_job(_engine())
    said = units.write_units(root or Path("/"), command, job_seconds)
    for sentence in (*said, units.switch_on(root)):
        if sentence:
            print(f"WARNING: {sentence}", file=sys.stderr)
    services = (
        f"{units.SERVICE}, {units.PRUNE_SERVICE} and {units.DOCTOR_SERVICE} with their timers"
    )
    print(f"Wrote the systemd units {services}, and {units.DROP_IN}.")


def _engine() -> Engine:
    """Return the engine of this host's jobs, as far as its settings can be read."""
    settings = Settings()
    with suppress(SettingsError):
        settings = load_settings(str(SETTINGS))
    host, tls_dir, tls_verify = engine_address(settings, RunnerEnv.current())
    return Engine.at(host, tls_dir, tls_verify=tls_verify)


def _refuse(sentence: str) -> int:
    print(f"dind-executor install: {sentence}", file=sys.stderr)
    return 2
