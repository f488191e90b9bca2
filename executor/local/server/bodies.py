"""The body of a request, whatever way it is sent; what is none ends at once."""

from collections.abc import Iterator
from io import BufferedIOBase
from typing import Protocol

from executor.bounds import whole_number

_CHUNK_BYTES = 65536
_LONGEST_LINE = 65536
_MOST_DIGITS = 16


class Headers(Protocol):
    """What a request says of its body, each by its name."""

    def get(self, name: str, failobj: str, /) -> str:
        """Return a header, or what stands for it."""
        ...


def body_of(headers: Headers, line: BufferedIOBase) -> Iterator[bytes]:
    """Yield a body piece by piece, by its length or in chunks."""
    if headers.get("Transfer-Encoding", "").lower() != "chunked":
        yield from _part(line, whole_number(headers.get("Content-Length", "0")) or 0)
        return
    while size := _chunk_size(line):
        yield from _part(line, size)
        line.readline(_LONGEST_LINE)
    while line.readline(_LONGEST_LINE).strip():
        pass


def _chunk_size(line: BufferedIOBase) -> int:
    digits = line.readline(_LONGEST_LINE).partition(b";")[0].strip()
    try:
        size = int(digits, 16) if len(digits) <= _MOST_DIGITS else 0
    except ValueError:
        return 0
    return max(size, 0)


def _part(line: BufferedIOBase, size: int) -> Iterator[bytes]:
    while size and (chunk := line.read(min(size, _CHUNK_BYTES))):
        size -= len(chunk)
        yield chunk
