"""Files that somebody else may have written."""

import os
from pathlib import Path

import pytest

from executor.files import read_regular


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    """Also by a symbolic link, and up to the last byte that it may have."""
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"x" * 1024)
    link.symlink_to(file)

    assert read_regular(str(link), 1024) == b"x" * 1024


def test_what_the_kernel_makes_up_is_a_file() -> None:
    """Its size is 0 in advance."""
    assert b"MemTotal" in read_regular("/proc/meminfo", 1024 * 1024)


def test_whatever_else_stands_there_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe without a writer would keep us for ever, and a device would never end."""
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    reasons = {
        pipe: "it is not a regular file",
        Path("/dev/zero"): "it is not a regular file",
        large: "it is larger than 1 MiB",
        tmp_path: "Is a directory",
        tmp_path / "none": "No such file or directory",
    }

    for path, reason in reasons.items():
        with pytest.raises(OSError, match=reason) as raised:
            read_regular(str(path), 1024 * 1024)
        assert raised.value.strerror == reason
