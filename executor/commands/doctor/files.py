"""The files of a host, and who may do what to them."""

import os
import stat
from typing import NamedTuple

from executor.bounds import whole_number
from executor.files import read_regular

_MOST_BYTES = 2 * 1024 * 1024
"""Of a file.  The kernel refuses to read a file in /proc/sys into 4 MiB or more."""
_ROOT = 0


class Files:
    """The files of a host, below its root directory as this process sees it."""

    def __init__(self, root: str = "/") -> None:
        """Take the root directory."""
        self.root = root.rstrip("/")

    @property
    def is_own(self) -> bool:
        """Tell whether this is the root directory of this process."""
        return not self.root

    def path(self, name: str) -> str:
        """Return where an absolute path of the host is seen."""
        return f"{self.root}{name}"

    def read(self, name: str) -> str:
        """Return a file's text.  Raises OSError."""
        return read_regular(self.path(name), _MOST_BYTES).decode(errors="replace")

    def text(self, name: str) -> str:
        """Return a file's text, "" where it cannot be read."""
        try:
            return self.read(name)
        except OSError:
            return ""

    def number(self, name: str) -> int | None:
        """Return the number in a file, None where there is no such file."""
        return whole_number(self.text(name).strip())

    def names(self, name: str) -> list[str]:
        """Return the names in a directory, none where it cannot be read."""
        try:
            return sorted(os.listdir(self.path(name)))  # noqa: PTH208 (paths are texts here)
        except OSError:
            return []

    def stat(self, name: str) -> os.stat_result | None:
        """Return what is known of a file, None where it is not there or hidden."""
        try:
            return os.stat(self.path(name))  # noqa: PTH116
        except OSError:
            return None


class User(NamedTuple):
    """The user that gitlab-runner runs as."""

    name: str
    uid: int
    groups: frozenset[int]
    how: str = ""
    """How this is known."""
    gid: int = 0

    def may(self, found: os.stat_result, wanted: int) -> bool:
        """Tell whether the user may do to a file what some of the bits 4, 2 and 1 say."""
        if self.uid == _ROOT:
            return True
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid == self.uid:
            return mode >> 6 & wanted == wanted
        return mode >> (3 if found.st_gid in self.groups else 0) & wanted == wanted

    def hindrance(self, files: Files, path: str, wanted: int) -> str:
        """Return which directory or file is in the user's way, "" for none."""
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            name = "/" + "/".join(parts[:depth])
            found = files.stat(name)
            if found is None:
                return f"{name} is not there"
            if not self.may(found, wanted if depth == len(parts) else 1):
                return f"{name} ({described(found)}) does not allow it to {self.name}"
        return ""


def described(found: os.stat_result) -> str:
    """Return the owner, the group and the mode of a file in words."""
    mode = stat.S_IMODE(found.st_mode)
    return f"owner {found.st_uid}, group {found.st_gid}, mode {mode:04o}"
