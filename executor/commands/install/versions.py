"""Which versions lie below a prefix, and which one jobs that begin now get.

A switch is one rename of the link `current`: a call of a stage finds the old version or the new one.
Only the standard library is needed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

STAGES = ("config", "prepare", "run", "cleanup")

_CURRENT, _PREVIOUS = "current", "previous"
_PYTHON = Path("bin/python")
_COMMAND = Path("bin/dind-executor")
_BUILD = "BUILD"
_MAKING = ".making-"

PACKAGE = "package"
"""What a package of the distribution has, from which a version is made: never a version itself."""


def own_prefix(otherwise: Path) -> Path:
    """Return the prefix of the version that this process is of; `otherwise` where it is of none."""
    prefix = Path(sys.prefix).parent
    is_one = (prefix / _CURRENT).is_symlink() and (prefix / "hooks").is_dir()
    return prefix if is_one else otherwise


class Versions:
    """The versions below a prefix."""

    def __init__(self, prefix: Path) -> None:
        """Look at nothing yet."""
        self.prefix = prefix

    @property
    def command(self) -> Path:
        """Return the command of whichever version is the current one."""
        return self.prefix / _CURRENT / _COMMAND

    @property
    def hooks(self) -> Path:
        """Return the directory of the hooks that gitlab-runner calls."""
        return self.prefix / "hooks"

    def path(self, name: str) -> Path:
        """Return the directory of a version."""
        return self.prefix / name

    def current(self) -> str:
        """Return the version that jobs which begin now get, or ""."""
        return self._linked(_CURRENT)

    def previous(self) -> str:
        """Return the version that was the current one before, or ""."""
        return self._linked(_PREVIOUS)

    def names(self) -> list[str]:
        """Return the versions that are there."""
        if not self.prefix.is_dir():
            return []
        return sorted(each.name for each in self.prefix.iterdir() if self._is_version(each))

    def free_name(self, version: str) -> str:
        """Return a name for one more build of a version: a directory that is there stays as it is."""
        names = (version, *(f"{version}-{number}" for number in range(2, 10_000)))
        return next(each for each in names if not os.path.lexists(self.path(each)))

    def same_build(self, build: bytes) -> str:
        """Return the version that was made of a build, or ""."""
        found = (each for each in self.names() if build_of(self.path(each)) == build != b"")
        return next(found, "")

    def switch(self, name: str) -> None:
        """Have the jobs that begin from now on use a version; raises OSError."""
        before = self.current()
        self.hooks.mkdir(exist_ok=True)
        for stage in STAGES:
            fresh = self.hooks / f".{stage}"
            shutil.copyfile(self.path(name) / "hooks" / stage, fresh)
            fresh.chmod(0o755)
            fresh.replace(self.hooks / stage)
        self._link(_CURRENT, name)
        if before not in {"", name}:
            self._link(_PREVIOUS, before)

    def remove_unused(self, used: set[str]) -> list[str]:
        """Remove what is neither current nor previous nor used; return the versions that are gone."""
        kept = {*used, self.current(), self.previous()}
        gone = [each for each in self.names() if each not in kept]
        for each in (*map(self.path, gone), *self.prefix.glob(f"{_MAKING}*")):
            shutil.rmtree(each)
        return gone

    def own_paths(self) -> list[Path]:
        """Return what is there of dind-executor, but for what a package has; others' files are none of it."""
        links = [
            self.prefix / f"{dot}{each}" for dot in ("", ".") for each in (_CURRENT, _PREVIOUS)
        ]
        found = [
            *map(self.path, self.names()),
            self.hooks,
            *self.prefix.glob(f"{_MAKING}*"),
            *links,
        ]
        return [each for each in found if os.path.lexists(each)]

    def begun(self, name: str) -> Path:
        """Return where a version is made that gets its own name when it is whole."""
        return self.prefix / f"{_MAKING}{name}"

    def _linked(self, link: str) -> str:
        path = self.prefix / link
        name = str(path.readlink()) if path.is_symlink() else ""
        return name if self._is_version(self.prefix / name) else ""

    def _link(self, link: str, name: str) -> None:
        fresh = self.prefix / f".{link}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self.prefix / link)

    def _is_version(self, path: Path) -> bool:
        """Tell whether a directory is a version; `venv` is what installations before 0.1 have.

        Other virtual environments that somebody has below the prefix have no hooks.
        """
        name = path.name
        if (
            path.parent != self.prefix
            or name.startswith(".")
            or name == PACKAGE
            or path.is_symlink()
        ):
            return False
        has_hooks = (path / "hooks/config").is_file()
        is_old = name == "venv" and os.path.lexists(path / _COMMAND)
        return os.path.lexists(path / _PYTHON) and (has_hooks or is_old)


def version_said(version: Path) -> str:
    """Return what the command of a version says of itself; raises CalledProcessError or OSError."""
    command = [str(version / _PYTHON), "-I", "-m", "executor", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def build_of(version: Path) -> bytes:
    """Return what tells a build from all others; b"" where it was installed from a clone."""
    try:
        return (version / _BUILD).read_bytes()
    except OSError:
        return b""
