"""Builds everything twice, each time from nothing, and compares the bytes.

The two builds have nothing in common but what was fetched and the commit: each is one of a clone of its
own, in a directory of another name, with another umask, time zone, locale and name of the host, and at
another time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.packages import ROOT, BuildError

_HOSTS = {
    "one": (0o022, {"TZ": "UTC", "LC_ALL": "C.UTF-8"}),
    "the-other/one": (0o077, {"TZ": "Asia/Kathmandu", "LC_ALL": "POSIX"}),
}
"""Where each clone lies below the directory of work, and what is different there: umask, environment."""


def check(architectures: Sequence[str], work: Path, sources: Path) -> list[str]:
    """Build twice, one architecture after the other; return the names of files that are not the same.

    `sources` has everything that a build needs.  Both builds stay in `work` where they differ.
    """
    shutil.rmtree(work, ignore_errors=True)
    clones = [_clone(work / name) for name in _HOSTS]
    for architecture in architectures:
        for clone in clones:
            print(f"Building for {architecture} in {clone} ...", flush=True)
            _build(clone, str(clone.relative_to(work)), architecture, sources)
        if differing := differences(*(clone / "dist" for clone in clones)):
            return differing
    for path in sorted((clones[0] / "dist").iterdir()):
        print(f"{_digest(path)}  {path.name}", flush=True)
    shutil.rmtree(work)
    return []


def differences(one: Path, other: Path) -> list[str]:
    """Return the names of files that are in one directory only, or not the same in both.

    Raises BuildError where there is nothing to compare.
    """
    names = {path.name for directory in (one, other) for path in directory.iterdir()}
    if not names:
        raise BuildError(f"Nothing was built in {one} and {other}.")
    return [name for name in sorted(names) if not _is_same(one / name, other / name)]


def _is_same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and _digest(one) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clone(place: Path) -> Path:
    """Have what is committed, and nothing that is not."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


def _build(clone: Path, name: str, architecture: str, sources: Path) -> None:
    umask, differing = _HOSTS[name]
    command = [sys.executable, "-m", "deploy.packages", "--offline", "--sources", str(sources)]
    named = ["unshare", "--uts", "sh", "-ec", 'hostname "$1"; shift; exec "$@"', "sh"]
    done = subprocess.run(
        [*named, name.replace("/", "-"), *command, "--architecture", architecture],
        check=False,
        cwd=clone,
        env={**os.environ, **differing},
        umask=umask,
    )
    if done.returncode:
        raise BuildError(f"The build in {clone} failed, see above.")
