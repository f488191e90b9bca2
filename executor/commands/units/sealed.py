"""Files of the host that say in their first line what `install` wrote.

One that somebody has changed since is the administrator's: it stays as it is.  Only the standard library
is needed.
"""

import hashlib
from pathlib import Path

_SEAL = "# `dind-executor install` wrote this file, and keeps it up to date until it is changed: "


def sealed(text: str) -> str:
    """Return a file with its first line."""
    return f"{_SEAL}{_checksum(text)}\n{text}"


def write_sealed(path: Path, text: str) -> str:
    """Write a file; return a sentence where it is not as it would be, else "".  Raises OSError."""
    whole = sealed(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        return f"{path} is a link (a masked unit, for example), and stays as it is."
    if not path.exists() or _is_as_written(path):
        _replace(path, whole)
        return ""
    if path.read_bytes() == whole.encode():
        return ""
    fresh = path.with_name(f"{path.name}.new")
    _replace(fresh, whole)
    return (
        f"{path} has been changed, and stays as it is. {fresh} is what this version has:"
        " compare the two, and remove it."
    )


def remove_sealed(path: Path) -> str:
    """Remove a file that is as some version wrote it; return a sentence where it stays, else "".

    Raises OSError.
    """
    path.with_name(f"{path.name}.new").unlink(missing_ok=True)
    if path.is_symlink() or (path.exists() and not _is_as_written(path)):
        return f"{path} has been changed, and stays: remove it by hand."
    path.unlink(missing_ok=True)
    return ""


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_as_written(path: Path) -> bool:
    """Tell whether a file is what some version of `install` wrote, byte by byte."""
    head, _, text = path.read_bytes().decode(errors="replace").partition("\n")
    return head == f"{_SEAL}{_checksum(text)}"


def _replace(path: Path, text: str) -> None:
    """Write a file so that nobody ever reads a part of it."""
    fresh = path.with_name(f".{path.name}.writing")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
