"""`down`, told step by step; each step is for what an interrupted `up` may have left, too."""

import os
from pathlib import Path

from tests.rig import address, engine, firewall, git, registries, remains
from tests.rig.directories import remove
from tests.rig.paths import CACHE, RUN, WORK
from tests.rig.say import RigError, say


def down(*, purge: bool) -> None:
    """Stop what `up` started and remove what it made, but for the cache of built images."""
    if os.geteuid() != 0:
        if not RUN.exists():
            # Nor could `up` do anything, and it has said so.
            return
        raise RigError("The rig was made by root: run `down` with sudo.")
    if engine.stop():
        say("The engine has ended.")
    for name in remains.REGISTRIES:
        registries.stop(name)
    git.stop()
    registries.distrust()
    firewall.restore()
    address.remove()
    for directory in (WORK, RUN):
        remove(directory)
    if purge:
        remove(CACHE)
    if CACHE.exists():
        megabytes = _size(CACHE) / 1e6
        say(
            f"The rig is down. {CACHE} keeps {megabytes:.0f} MB of images; `down --purge` removes it."
        )
    else:
        say("The rig is down, and its cache is gone.")


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())
