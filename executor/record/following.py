"""Follows the spool: yields each record once, however often and by whom it is asked in between.

A file is known by a digest of its first line: inode numbers come again.  Both files are looked at,
as a stage may still append to the one that was put aside.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Self

from executor.record.spool import FILE, LONGEST_LINE, OLD, decoded, readable

Record = dict[str, object]

_DIGEST_BYTES = 12


class Follower:
    """How far the spool has been read."""

    def __init__(self, places: Mapping[str, int] | None = None) -> None:
        """Begin behind what is read already: bytes by the digests of files, the newest file last."""
        self.places = dict(places or {})
        self.bad_lines = self.gaps = 0
        """How many lines were no records, and how often files were gone before they were read."""

    def new(self, directory: str) -> Iterator[Record]:
        """Yield the records that are new; what has been yielded is done with.

        Raises OSError where there is no spool that can be read.
        """
        files: dict[str, BinaryIO] = {}
        try:
            # The newer one first: one that is put aside meanwhile is met again as the old one.
            for name in (FILE, OLD):
                _open(f"{directory}/{name}", files)
            found = dict.fromkeys(reversed(files), 0)
            if self.places and found and next(reversed(self.places)) not in found:
                self.gaps += 1
            if found:
                self.places = {each: self.places.get(each, 0) for each in found}
            for digest in found:
                yield from self._records(digest, files[digest])
        finally:
            for file in files.values():
                file.close()

    def skip(self, directory: str) -> None:
        """Pass over all that is there.  Raises OSError."""
        for _ in self.new(directory):
            pass
        self.bad_lines = 0

    def as_json(self) -> list[tuple[str, int]]:
        """Return what `from_json` takes."""
        return list(self.places.items())

    @classmethod
    def from_json(cls, said: object) -> Self:
        """Return what `as_json` told; raises ValueError or TypeError where it is something else."""
        if not isinstance(said, list):
            raise TypeError("places")
        return cls({str(digest): int(place) for digest, place in said})

    def _records(self, digest: str, file: BinaryIO) -> Iterator[Record]:
        # After a crash of the host the last lines may be gone; they have been counted.
        place = min(self.places[digest], os.fstat(file.fileno()).st_size)
        self.places[digest] = place
        file.seek(place)
        while line := file.readline(LONGEST_LINE):
            if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                break  # somebody is writing it, or has been killed meanwhile
            place += len(line)
            self.places[digest] = place
            record = decoded(line)
            if record is not None:
                yield record
            elif line.strip():
                self.bad_lines += 1


def _open(path: str, files: dict[str, BinaryIO]) -> None:
    """Add a file to those that are open, unless it is one of them or has no line yet."""
    try:
        file = open(readable(path), "rb")  # noqa: PTH123, SIM115 (nothing but a file; closed by who asks)
    except FileNotFoundError:
        return
    first = file.readline(LONGEST_LINE)
    digest = hashlib.blake2b(first, digest_size=_DIGEST_BYTES).hexdigest()
    if digest in files or not (first.endswith(b"\n") or len(first) == LONGEST_LINE):
        file.close()
    else:
        files[digest] = file
