"""Removes directories of the rig."""

import shutil
import subprocess
from pathlib import Path


def remove(directory: Path) -> None:
    """Remove a directory, and before that every file system that an engine left mounted in it."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    inside = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{directory}/")]
    for mount in sorted(inside, reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)
