"""Debian packages that the machine must have."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.say import RigError, step

_POLICY = Path("/usr/sbin/policy-rc.d")


def ensure(commands: dict[str, str]) -> None:
    """Install the package of every command that is not there: {command or file: package}."""
    missing = sorted({package for command, package in commands.items() if not _have(command)})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        message = f"Install {', '.join(missing)} first: this machine has no apt-get to do it with."
        raise RigError(message)
    with step(f"Installing {', '.join(missing)}"), _no_service_starts():
        update()
        _apt(["install", "--yes", "--no-install-recommends", *missing])


def update() -> None:
    """Refresh the package lists."""
    _apt(["update"])


def _have(command: str) -> bool:
    if command.startswith("/"):
        return Path(command).exists()
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(command, path=path) is not None


def _apt(arguments: Iterable[str]) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        message = "\n".join([f"`{' '.join(command)}` failed:", *last])
        raise RigError(message)


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Keep the packages from starting their services: the rig starts what it needs by hand."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
