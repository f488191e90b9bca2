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
from pathlib import Path

PREFIX = Path("/opt/dind-executor")
SETTINGS = Path("/etc/dind-executor/settings.toml")
COMMAND = Path("/usr/local/bin/dind-executor")
LOG_DIRECTORY = Path("/var/log/dind-executor")
_PACKAGED = ("pyproject.toml", "README.md", "LICENSE")
_STAGES = ("config", "prepare", "run", "cleanup")


def main(args: list[str]) -> int:
    """Install or upgrade; return an exit code."""
    parser = argparse.ArgumentParser(
        prog="dind-executor install", description="Install or upgrade on a runner host."
    )
    parser.add_argument(
        "--prefix", type=Path, default=PREFIX, help="where to install (default: %(default)s)"
    )
    prefix: Path = parser.parse_args(args).prefix
    source = Path(__file__).resolve().parents[2]
    if not (source / "pyproject.toml").is_file():
        return _refuse("Run `sudo python3 -m executor install` in a clone of the repository.")
    if not os.access(prefix if prefix.exists() else prefix.parent, os.W_OK):
        return _refuse(f"{prefix} is not writable. Run this as root, or choose another --prefix.")
    try:
        _install(source, prefix.absolute())
    except subprocess.CalledProcessError as error:
        words = error.stderr or "see its output above"
        return _refuse(f"Installing failed with exit code {error.returncode}: {words}.")
    except OSError as error:
        return _refuse(
            f"{error.filename}: {error.strerror}. Run this as root, or choose another"
            " directory with --prefix."
        )
    return 0


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


def _install_on_host(prefix: Path) -> None:
    """Put the command on the PATH, and settings and log where the defaults look for them."""
    COMMAND.unlink(missing_ok=True)
    COMMAND.symlink_to(prefix / "venv" / "bin" / "dind-executor")
    LOG_DIRECTORY.mkdir(mode=0o750, parents=True, exist_ok=True)
    owner = "gitlab-runner"
    try:
        shutil.chown(LOG_DIRECTORY, owner, owner)
    except LookupError:
        owner = "root"  # no such user: gitlab-runner runs as root, or is installed later
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
