"""`down`, told step by step; each step is for what an interrupted `up` may have left, too."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.rig import address, engine, firewall, git, processes, registries
from tests.rig.paths import CACHE, RUN, WORK
from tests.rig.say import RigError, say

_REGISTRIES = ("gitlab", "proxy", "hub")


def down(*, purge: bool) -> None:
    """Stop what `up` started and remove what it made, but for the cache of built images."""
    if os.geteuid() != 0:
        if not RUN.exists():
            # Nor could `up` do anything, and it has said so.
            return
        raise RigError("The rig was made by root: run `down` with sudo.")
    if engine.stop():
        say("The engine has ended.")
    for name in _REGISTRIES:
        registries.stop(name)
    git.stop()
    registries.distrust()
    firewall.restore()
    address.remove()
    for directory in (WORK, RUN):
        _remove(directory)
    if purge:
        _remove(CACHE)
    if CACHE.exists():
        megabytes = _size(CACHE) / 1e6
        say(
            f"The rig is down. {CACHE} keeps {megabytes:.0f} MB of images; `down --purge` removes it."
        )
    else:
        say("The rig is down, and its cache is gone.")


def running() -> list[str]:
    """Return the names of the processes that run now."""
    names = [engine.PROCESS, *(f"registry-{name}" for name in _REGISTRIES), git.PROCESS]
    return [name for name in names if processes.running(name) is not None]


def _remove(directory: Path) -> None:
    """Remove a directory, and before that every file system that an engine left mounted in it."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    inside = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{directory}/")]
    for mount in sorted(inside, reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())
