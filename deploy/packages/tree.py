"""Puts together the tree of a version: a Python prefix with all modules, the command and the hooks."""

import hashlib
import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

from deploy.packages import ARCHITECTURES, HERE, PYTHON, ROOT
from deploy.packages.elf import needed_by

_LIBRARY = f"lib/python{PYTHON}"
_UNUSED = (
    "__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages",
    "test", "tkinter", "turtle.py", "turtledemo",
)  # fmt: skip
_CLONED = ("pyproject.toml", "README.md", "LICENSE")
_GCC = "libgcc_s.so.1"
_PLACE = "/opt/dind-executor/current"
"""What tracebacks name, until Python has found out where it is."""


def make_tree(tree: Path, built: Path, sources: Path, architecture: str, tools: Path) -> None:
    """Make the tree of an architecture, of an interpreter and of wheels."""
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    _interpreter(tree, built, architecture)
    site = tree / _LIBRARY / "site-packages"
    for wheel in sorted((sources / f"wheels-{ARCHITECTURES[architecture]}").glob("*.whl")):
        unpack_wheel(wheel, site)
    _own_modules(site, tools)
    _gcc_library(tree, built, architecture, tools)
    shutil.copytree(ROOT / "hooks", tree / "hooks")
    shutil.copy(HERE / "command.sh", tree / "bin/dind-executor")
    (tree / "bin/dind-executor").chmod(0o755)
    _licences(tree / "licenses", built)
    _compile(tree, built.parent / "amd64/python/bin" / f"python{PYTHON}")
    _level_modes(tree)


def seal(tree: Path, version: str, architecture: str) -> None:
    """Write what tells this build from all others: a digest of every file."""
    digest = hashlib.sha256()
    for path in entries(tree):
        name = str(path.relative_to(tree))
        content = str(path.readlink()).encode() if path.is_symlink() else _content(path)
        digest.update(f"{name}\0{stat.S_IMODE(path.lstat().st_mode):o}\0{len(content)}\0".encode())
        digest.update(content)
    text = f"dind-executor {version} {architecture} {digest.hexdigest()}\n"
    (tree / "BUILD").write_text(text, encoding="ascii")
    (tree / "BUILD").chmod(0o644)


def entries(tree: Path) -> Iterator[Path]:
    """Yield everything below a tree, in the same order each time."""
    yield from sorted(tree.rglob("*"))


def unpack_wheel(wheel: Path, site: Path) -> None:
    """Put a wheel's modules where they belong.  Its scripts and headers are left out."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            head, _, rest = member.filename.partition("/")
            if head.endswith(".data"):
                kind, _, rest = rest.partition("/")
                if kind not in {"purelib", "platlib"}:
                    continue
                member.filename = rest
            archive.extract(member, site)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _interpreter(tree: Path, built: Path, architecture: str) -> None:
    source = built / "python"
    name = f"python{PYTHON}"
    shutil.copy(source / "bin" / name, tree / "bin" / name)
    for link in ("python", "python3"):
        (tree / "bin" / link).symlink_to(name)
    shutil.copytree(source / _LIBRARY, tree / _LIBRARY, ignore=shutil.ignore_patterns(*_UNUSED))
    binaries = [tree / "bin" / name, *sorted((tree / _LIBRARY / "lib-dynload").glob("*.so"))]
    strip = f"{ARCHITECTURES[architecture]}-linux-gnu-strip"
    root = built.parents[1]
    for each in binaries:
        # The root's own: what is on this machine may write other bytes.
        passed = root / "build/stripped"
        shutil.copy(each, passed)
        subprocess.run(["chroot", root, strip, "--strip-unneeded", "/build/stripped"], check=True)
        shutil.move(passed, each)


def _own_modules(site: Path, tools: Path) -> None:
    """Have dind-executor itself, as a wheel of what this clone has."""
    place = tools.parent / "own"
    shutil.rmtree(place, ignore_errors=True)
    source = place / "source"
    source.mkdir(parents=True)
    for each in _CLONED:
        shutil.copy(ROOT / each, source)
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "executor", source / "executor", ignore=caches)
    _level_modes(source)
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--quiet"]
    command = [str(tools / "bin/python"), "-m", "pip", "--disable-pip-version-check", "wheel"]
    subprocess.run([*command, *options, "--wheel-dir", str(place), str(source)], check=True)
    (wheel,) = place.glob("*.whl")
    unpack_wheel(wheel, site)


def _gcc_library(tree: Path, built: Path, architecture: str, tools: Path) -> None:
    """Pack the one library beyond glibc that wheels take for granted, and have them find it."""
    triplet = f"{ARCHITECTURES[architecture]}-linux-gnu"
    root = built.parents[1]
    places = (root / f"lib/{triplet}" / _GCC, root / f"usr/{triplet}/lib" / _GCC)
    library = next(each for each in places if each.exists())
    shutil.copy(library, tree / "lib" / _GCC)
    for path in entries(tree / _LIBRARY / "site-packages"):
        if path.suffix == ".so" and _GCC in needed_by(path):
            way = os.path.relpath(tree / "lib", path.parent)
            patchelf = tools / "bin/patchelf"
            subprocess.run([patchelf, "--set-rpath", f"$ORIGIN/{way}", path], check=True)


def _licences(place: Path, built: Path) -> None:
    place.mkdir()
    shutil.copy(ROOT / "LICENSE", place / "dind-executor")
    for copyright_file in sorted(built.glob("*/debian/copyright")):
        shutil.copy(copyright_file, place / copyright_file.parents[1].name)
    shutil.copy(built.parents[1] / "usr/share/doc/libgcc-s1/copyright", place / "libgcc_s")


def _compile(tree: Path, python: Path) -> None:
    """Have every module compiled: at run time nobody may write there, nor looks at times of files."""
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", _PLACE]
    command = [str(python), "-I", "-m", "compileall", *options, str(tree / _LIBRARY)]
    environ = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    subprocess.run(command, check=True, env=environ)


def _level_modes(tree: Path) -> None:
    """Have modes that do not depend on who has made the files."""
    for path in (tree, *entries(tree)):
        if not path.is_symlink():
            is_run = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if is_run else 0o644)
