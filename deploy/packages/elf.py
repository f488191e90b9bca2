"""Looks whether binaries start on a host that has the oldest supported glibc, and nothing else of a build."""

import os
import re
import subprocess
from pathlib import Path

from deploy.packages import GLIBC

_MAGIC = b"\x7fELF"
_GLIBC_LIBRARIES = re.compile(r"(ld-linux-[a-z0-9_-]+|lib(c|dl|m|pthread|rt|util))\.so\.[0-9]+")
_NEEDED = re.compile(r"\(NEEDED\).*\[(.*)\]")
_WAY = re.compile(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]")
_VERSION = re.compile(r"\bName: GLIBC_([0-9.]+)")


def binaries(tree: Path) -> list[Path]:
    """Return every binary below a tree."""
    return [each for each in sorted(tree.rglob("*")) if is_binary(each)]


def is_binary(path: Path) -> bool:
    """Tell whether a file is a program or a library."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def needed_by(path: Path) -> list[str]:
    """Return the libraries that a binary names."""
    return _NEEDED.findall(_read("--dynamic", path))


def faults(tree: Path) -> list[str]:
    """Return what keeps binaries of a tree from starting elsewhere: one sentence for each fault."""
    found: list[str] = []
    for path in binaries(tree):
        name = path.relative_to(tree)
        dynamic = _read("--dynamic", path)
        ways = [each for text in _WAY.findall(dynamic) for each in text.split(":")]
        lacking = [
            each
            for each in _NEEDED.findall(dynamic)
            if not _GLIBC_LIBRARIES.fullmatch(each) and not _is_packed(each, ways, path, tree)
        ]
        found += [f"{name} needs {each}, which is neither of glibc nor packed." for each in lacking]
        for text in sorted(set(_VERSION.findall(_read("--version-info", path)))):
            if tuple(map(int, text.split("."))) > GLIBC:
                newest = ".".join(map(str, GLIBC))
                found.append(f"{name} needs glibc {text}, which is newer than {newest}.")
    return found


def _is_packed(library: str, ways: list[str], path: Path, tree: Path) -> bool:
    for way in ways:
        place = Path(os.path.normpath(way.replace("$ORIGIN", str(path.parent)))) / library
        if place.is_relative_to(tree) and place.is_file():
            return True
    return False


def _read(what: str, path: Path) -> str:
    command = ["readelf", "--wide", what, str(path)]
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout
