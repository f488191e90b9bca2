"""The one file in an upload's multipart form."""

from typing import BinaryIO

_LONGEST_PART_HEAD = 8192


def find_file(body: BinaryIO, boundary: bytes) -> int:
    """Move to the content of a form's one file and return its size; -1 if there is no such file."""
    head = body.read(_LONGEST_PART_HEAD)
    start = head.find(b"\r\n\r\n")
    if not head.startswith(b"--" + boundary) or b'name="file"' not in head[:start] or start < 0:
        return -1
    start += len(b"\r\n\r\n")
    closing = b"\r\n--" + boundary + b"--"
    end = body.seek(0, 2)
    body.seek(max(0, end - len(closing) - 2))
    tail = body.read()
    found = tail.rfind(closing)
    if found < 0:
        return -1
    size = end - len(tail) + found - start
    body.seek(start)
    return size
