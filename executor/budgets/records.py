"""When a job last used what is kept: one small file for each thing, whose time of change is the record.

No list that several jobs write, so no lock and nothing that one job takes from another.  Records are
no more than a memory: without its record a volume counts as last used when it was made, and an image
was pulled by no job.
"""

import os
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple

from executor.host import state_files
from executor.quick_json import dumps, loads

_VOLUME, _IMAGE = "volume-", "image-"
_ID = "sha256:"
_MOST_BYTES = 64 * 1024
_MOST_NAMES = 100
_HEX = frozenset("0123456789abcdef")
_ID_LENGTH = 64


class ImageRecord(NamedTuple):
    """What is known of an image that a job pulled."""

    used: float
    names: tuple[str, ...]
    """The names by which jobs pulled it."""
    chosen_by: str
    """The setting that named it last, "" where a job did; see `Pull.chosen_by`."""


class Known(NamedTuple):
    """All records of one engine."""

    volumes: Mapping[str, float]
    images: Mapping[str, ImageRecord]
    """By the ids of images."""


class Records:
    """The records of one engine; none where there is no directory for them."""

    def __init__(self, state_dir: str, address: str) -> None:
        """Take `[sweep] state_dir` and the engine's address; nothing is read or written yet."""
        name = f"used-{zlib.crc32(address.encode()):08x}"
        self._place = f"{state_dir}/{name}" if state_dir else ""
        self._parent = state_dir

    def volumes_used(self, names: Iterable[str]) -> None:
        """Note that a job uses volumes now.  A directory that cannot be written fails nothing."""
        with suppress(OSError):
            for name in names:
                self._touch(f"{_VOLUME}{name}")

    def image_used(self, image: str) -> None:
        """Note that a job uses an image now, if a job pulled it."""
        if self._place and _is_id(image):
            with suppress(OSError):
                os.utime(f"{self._place}/{_file_of(image)}", follow_symlinks=False)

    def image_came(self, image: str, name: str, chosen_by: str, instead_of: str) -> None:
        """Note that a job's pull brought an image to the engine, by a name.

        `instead_of` is the image that had the name before, "" where none had it.  One that no job had
        pulled was the administrator's, and so is the name.
        """
        if not self._place or not _is_id(image):
            return
        with suppress(OSError):
            if instead_of and (not _is_id(instead_of) or self._read(_file_of(instead_of)) is None):
                return
            known = self._read(_file_of(image))
            names = tuple(dict.fromkeys((*(known.names if known else ()), name)))[-_MOST_NAMES:]
            said = {"names": names, "chosen_by": chosen_by}
            self._write(_file_of(image), dumps(said).encode())

    def forget(self, name: str) -> None:
        """Remove the record of a volume, or of an image by its id."""
        file = _file_of(name) if name.startswith(_ID) else f"{_VOLUME}{name}"
        with suppress(OSError, ValueError), self._opened() as directory:
            os.unlink(file, dir_fd=directory)

    def known(self) -> Known:
        """Return all records, with the times that they have: one may lie ahead."""
        volumes: dict[str, float] = {}
        images: dict[str, ImageRecord] = {}
        try:
            found = list(os.scandir(self._place)) if self._place else []
        except OSError:
            found = []
        for each in found:
            with suppress(OSError):
                if each.name.startswith(_VOLUME):
                    used = each.stat(follow_symlinks=False).st_mtime
                    volumes[each.name.removeprefix(_VOLUME)] = used
                elif (record := self._read(each.name)) is not None:
                    image = _ID + each.name.removeprefix(_IMAGE)
                    images[image] = record
        return Known(volumes, images)

    def forget_all_but(self, volumes: Iterable[str], images: Iterable[str]) -> None:
        """Remove the records of what is gone, if they are older than a day.

        A younger one may be of a volume that its job has not made yet.
        """
        there = {f"{_VOLUME}{each}" for each in volumes} | {
            _file_of(each) for each in images if _is_id(each)
        }
        too_old = time.time() - 86400
        with suppress(OSError), self._opened() as directory:
            for each in os.scandir(directory) if directory >= 0 else ():
                if each.name not in there and each.stat(follow_symlinks=False).st_mtime < too_old:
                    os.unlink(each.name, dir_fd=directory)

    def _opened(self) -> AbstractContextManager[int]:
        """Hold the directory open; -1 where there is none.

        A link is none: gitlab-runner's user may put one there, and root removes and writes files in
        what it leads to.
        """
        return state_files.opened(self._place, os.O_NOFOLLOW)

    def _touch(self, file: str) -> None:
        """Make a file, or its time the present.  Raises OSError."""
        if not self._place:
            return
        try:
            os.utime(f"{self._place}/{file}", follow_symlinks=False)
        except FileNotFoundError:
            self._write(file, b"")

    def _write(self, file: str, content: bytes) -> None:
        """Write a file as a whole or not at all.  Raises OSError."""
        if not os.path.isdir(self._place):  # noqa: PTH112
            with suppress(FileExistsError):
                os.mkdir(self._place, 0o700)  # noqa: PTH102
                # root and gitlab-runner's user both write there
                if os.geteuid() == 0:
                    owner = os.stat(self._parent)  # noqa: PTH116
                    os.chown(self._place, owner.st_uid, owner.st_gid, follow_symlinks=False)
        with self._opened() as directory:
            # A name of its own: jobs write at the same time, also of one thing.
            new = f".{os.getpid()}-{file[-_ID_LENGTH:]}"
            state_files.write(directory, file, content, new)

    def _read(self, file: str) -> ImageRecord | None:
        """Return the record of an image; None where a file is not what this leaves.  Raises OSError."""
        if not file.startswith(_IMAGE):
            return None
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(f"{self._place}/{file}", flags)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as opened:  # noqa: PTH123
            used = os.fstat(descriptor).st_mtime
            text = opened.read(_MOST_BYTES)
        try:
            said = loads(text)
            names, chosen_by = said["names"], said["chosen_by"]
        except (ValueError, RecursionError, KeyError, TypeError):
            return None
        if not isinstance(names, list) or not isinstance(chosen_by, str):
            return None
        return ImageRecord(used, tuple(each for each in names if isinstance(each, str)), chosen_by)


def _is_id(image: str) -> bool:
    digits = image.removeprefix(_ID)
    return digits != image and len(digits) == _ID_LENGTH and _HEX.issuperset(digits)


def _file_of(image: str) -> str:
    return f"{_IMAGE}{image.removeprefix(_ID)}"
