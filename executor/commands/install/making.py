"""Makes a version below a prefix: from a clone, with a virtual environment, or from a built one.

A built version, which packages and the offline archive have, brings its own interpreter and every
module.  Only the standard library is needed: this runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from executor import __version__
from executor.commands.install.versions import PACKAGE, STAGES, Versions, build_of

_CLONED = ("pyproject.toml", "README.md", "LICENSE")


def built_version() -> Path | None:
    """Return the built version that this process runs from; None in a clone."""
    prefix = Path(sys.prefix)
    return prefix if build_of(prefix) else None


def clone() -> Path | None:
    """Return the clone that this process runs from; None elsewhere."""
    source = Path(__file__).resolve().parents[3]
    return source if (source / "pyproject.toml").is_file() else None


def make_from_built(versions: Versions, source: Path) -> str:
    """Return a version that has what a built one has; raises OSError.

    What a package has is not copied: both names mean the same files.  A later package, or its removal,
    takes only the package's name away.
    """
    if found := versions.same_build(build_of(source)):
        return found
    name = versions.free_name(__version__)
    begun = versions.begun(name)
    if begun.exists():
        shutil.rmtree(begun)
    is_packaged = source == versions.prefix / PACKAGE
    begun.parent.mkdir(parents=True, exist_ok=True)
    # Files that somebody has unpacked may belong to anybody: root gets copies.
    copy = os.link if is_packaged else shutil.copy2
    shutil.copytree(source, begun, symlinks=True, copy_function=copy)
    begun.replace(versions.path(name))
    return name


def make_from_clone(versions: Versions, source: Path, wheels: Path | None) -> str:
    """Return a version with what a clone has, and what it needs from `wheels` or from where pip looks.

    Raises CalledProcessError or OSError; then nothing is left of it.
    """
    name = versions.free_name(__version__)
    path = versions.path(name)
    print(f"Installing the packages into {path} ...")
    try:
        # By its hooks it is known, also if this is killed.
        (path / "hooks").mkdir(parents=True)
        for stage in STAGES:
            shutil.copyfile(source / "hooks" / stage, path / "hooks" / stage)
        # Its scripts name the place where it is made.
        venv.create(path, with_pip=True)
        _install_clone(path / "bin" / "python", source, wheels)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return name


def _install_clone(python: Path, source: Path, wheels: Path | None) -> None:
    only = ("--no-index", "--find-links", str(wheels)) if wheels else ()
    with tempfile.TemporaryDirectory() as copied:
        # Building leaves files beside the sources, and takes old ones that it finds there.
        for each in _CLONED:
            shutil.copy(source / each, copied)
        shutil.copytree(source / "executor", Path(copied) / "executor")
        command = [str(python), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run(
            [*command, "install", "--quiet", "--compile", *only, copied],
            check=True,
        )
    # Where Python 3.11 has put it, each start of Python runs a line of it, and no stage needs it.
    subprocess.run([*command, "uninstall", "-qq", "--yes", "setuptools"], check=True)
