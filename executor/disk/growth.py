"""What a job has written since it began, and where the disk has it.

Directories are walked that the job itself fills: nothing in them is followed, no other file system
is entered, and the time is limited.  What is not seen until then counts as not written.
"""

import os
import time
from collections import deque
from collections.abc import Iterable
from stat import S_ISDIR
from typing import NamedTuple

_LONGEST_PATH = 2000
"""Deeper directories are opened from one on the way: the kernel takes no path of more than 4,096."""
_MOST_OPEN = 64
_BLOCK = 512
_BETWEEN_LOOKS = 256
_FEW = 10


class Tree(NamedTuple):
    """A directory that a job fills."""

    path: str
    volume: str = ""
    """The volume that lasts beyond the job, of which only what the job wrote counts; else empty."""


class Grown(NamedTuple):
    """What was found in a job's directories."""

    bytes: int
    inodes: int
    volumes: tuple[str, ...] = ()
    """The lasting volumes to which the job wrote a tenth of that or more, by size."""


def grown(trees: Iterable[Tree], device: int, since: float, seconds: float) -> Grown:
    """Return what lies on a file system in these directories.

    In volumes that last: what was changed `since` (seconds since 1970).
    """
    walk = _Walk(device, time.monotonic() + seconds)
    for each in trees:
        walk.add(each, since if each.volume else None)
    walk.go()
    volumes = sorted(walk.volumes.items(), key=lambda item: -item[1])
    much = tuple(name for name, size in volumes if size * _FEW >= walk.bytes > 0)
    return Grown(walk.bytes, walk.inodes, much)


class _Walk:
    """A walk through directories, level by level: what is large lies rarely deep."""

    def __init__(self, device: int, deadline: float) -> None:
        self.bytes = 0
        self.inodes = 0
        self.volumes: dict[str, int] = {}
        self._device = device
        self._deadline = deadline
        self._waiting: deque[tuple[int | None, str, str, float | None]] = deque()
        self._linked: set[int] = set()
        self._open: list[int] = []

    def add(self, tree: Tree, since: float | None) -> None:
        """Walk through a directory too, if it is on the file system."""
        try:
            if os.stat(tree.path).st_dev == self._device:  # noqa: PTH116
                self._waiting.append((None, tree.path, tree.volume, since))
        except OSError:
            return

    def go(self) -> None:
        """Walk, until the end or until the time is over."""
        try:
            while self._waiting and time.monotonic() < self._deadline:
                self._directory(*self._waiting.popleft())
        finally:
            for each in self._open:
                os.close(each)

    def _directory(self, base: int | None, path: str, volume: str, since: float | None) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(path, flags, dir_fd=base)
        except OSError:
            return  # gone by now, or replaced
        keep = len(path) > _LONGEST_PATH and len(self._open) < _MOST_OPEN
        try:
            with os.scandir(descriptor) as entries:
                for number, entry in enumerate(entries):
                    if number % _BETWEEN_LOOKS == 0 and time.monotonic() > self._deadline:
                        return
                    below = entry.name if keep else f"{path}/{entry.name}"
                    self._entry(entry, descriptor if keep else base, below, volume, since)
        except OSError:
            return
        finally:
            if keep:
                self._open.append(descriptor)
            else:
                os.close(descriptor)

    def _entry(
        self,
        entry: "os.DirEntry[str]",
        base: int | None,
        path: str,
        volume: str,
        since: float | None,
    ) -> None:
        try:
            told = entry.stat(follow_symlinks=False)
        except OSError:
            return
        if told.st_dev != self._device:
            return
        if S_ISDIR(told.st_mode):
            self._waiting.append((base, path, volume, since))
        elif told.st_nlink > 1:
            if told.st_ino in self._linked:
                return
            self._linked.add(told.st_ino)
        if since is not None and told.st_ctime < since:
            return
        size = told.st_blocks * _BLOCK
        self.bytes += size
        self.inodes += 1
        if volume:
            self.volumes[volume] = self.volumes.get(volume, 0) + size
