"""Installs dind-executor on a runner host: `python3 -m executor install` in a clone, as root.

A virtual environment in a fixed place, and the hooks at a path that an upgrade does not change.
Only the standard library is needed: this runs before anything is installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from contextlib import suppress
from pathlib import Path

from executor.commands import units
from executor.engine.docker import Engine
from executor.errors import SettingsError
from executor.notation.durations import gitlab_seconds
from executor.reading import engine_address
from executor.runner.environ import RunnerEnv
from executor.settings.file import Settings, load_settings

PREFIX = Path("/opt/dind-executor")
SETTINGS = Path("/etc/dind-executor/settings.toml")
COMMAND = Path("/usr/local/bin/dind-executor")
LOG_DIRECTORY = Path("/var/log/dind-executor")
STATE_DIRECTORY = Path("/var/lib/dind-executor")
_PACKAGED = ("pyproject.toml", "README.md", "LICENSE")
_STAGES = ("config", "prepare", "run", "cleanup")


def main(args: list[str]) -> int:
    """Install or upgrade; return an exit code."""
    given = _parser().parse_args(args)
    prefix: Path = given.prefix.absolute()
    source = Path(__file__).resolve().parents[2]
    if not (source / "pyproject.toml").is_file():
        return _refuse("Run `sudo python3 -m executor install` in a clone of the repository.")
    if not os.access(prefix if prefix.exists() else prefix.parent, os.W_OK):
        return _refuse(f"{prefix} is not writable. Run this as root, or choose another --prefix.")
    try:
        _install(source, prefix)
        _install_units(given, prefix)
    except subprocess.CalledProcessError as error:
        words = error.stderr or "see its output above"
        return _refuse(f"Installing failed with exit code {error.returncode}: {words}.")
    except OSError as error:
        return _refuse(
            f"{error.filename}: {error.strerror}. Run this as root, or choose another"
            " directory with --prefix."
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor install", description="Install or upgrade on a runner host."
    )
    parser.add_argument(
        "--prefix", type=Path, default=PREFIX, help="where to install (default: %(default)s)"
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


def _install(source: Path, prefix: Path) -> None:
    python = prefix / "venv" / "bin" / "python"
    print(f"Installing the packages into {prefix / 'venv'} ...")
    if not python.exists():
        venv.create(prefix / "venv", with_pip=True)
    with tempfile.TemporaryDirectory() as copied:
        # Building leaves files beside the sources, and takes old ones that it finds there.
        for name in _PACKAGED:
            shutil.copy(source / name, copied)
        shutil.copytree(source / "executor", Path(copied) / "executor")
        _pip(python, "install", "--quiet", "--upgrade", "--compile", copied)
    hooks = prefix / "hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    for stage in _STAGES:
        # Replaced by a rename: a job that runs meanwhile reads the old one or the new one.
        fresh = hooks / f".{stage}"
        shutil.copyfile(source / "hooks" / stage, fresh)
        fresh.chmod(0o755)
        fresh.replace(hooks / stage)
    if prefix == PREFIX:
        _install_on_host(prefix)
    version = subprocess.run(
        [python, "-I", "-m", "executor", "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    print(f"Installed {version} with its hooks in {hooks}.")
    print("Next, register a runner as config.toml.example shows.")
    if prefix != PREFIX:
        command = prefix / "venv" / "bin" / "dind-executor"
        print(
            f"With --prefix, only the hooks and {command} are installed. Write the settings with"
            f" `{command} settings > settings.toml`, and use your own paths in config.toml."
        )


def _install_units(given: argparse.Namespace, prefix: Path) -> None:
    """Write the systemd units, or say what does without systemd what they do."""
    usual = prefix == PREFIX
    command = COMMAND if usual else prefix / "venv" / "bin" / "dind-executor"
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
    services = f"{units.SERVICE} and {units.PRUNE_SERVICE} with their timers"
    print(f"Wrote the systemd units {services}, and {units.DROP_IN}.")


def _engine() -> Engine:
    """Return the engine of this host's jobs, as far as its settings can be read."""
    settings = Settings()
    with suppress(SettingsError):
        settings = load_settings(str(SETTINGS))
    host, tls_dir, tls_verify = engine_address(settings, RunnerEnv.current())
    return Engine.at(host, tls_dir, tls_verify=tls_verify)


def _install_on_host(prefix: Path) -> None:
    """Put the command on the PATH, and settings, log and state where the defaults look for them."""
    COMMAND.unlink(missing_ok=True)
    COMMAND.symlink_to(prefix / "venv" / "bin" / "dind-executor")
    owner = "gitlab-runner"
    for directory in (LOG_DIRECTORY, STATE_DIRECTORY):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        with suppress(LookupError):  # gitlab-runner runs as root, or is installed later
            shutil.chown(directory, owner, owner)
    if not SETTINGS.exists():
        SETTINGS.parent.mkdir(parents=True, exist_ok=True)
        program = "from executor.settings.manual import installed_settings as s; print(s(), end='')"
        defaults = subprocess.run(
            [prefix / "venv" / "bin" / "python", "-I", "-c", program],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        SETTINGS.write_text(defaults, encoding="utf-8")
        print(f"Wrote the default settings to {SETTINGS}.")


def _pip(python: Path, *args: str) -> None:
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", *args], check=True)


def _refuse(sentence: str) -> int:
    print(f"dind-executor install: {sentence}", file=sys.stderr)
    return 2
