"""Job logs that a process has open."""

import os
from pathlib import Path

from executor.host.traces import open_traces


def test_job_logs_that_are_open_are_found(tmp_path: Path) -> None:
    """Each comes with its name, device and inode; other open files are none."""
    (tmp_path / "other").mkdir()
    names = ("trace123", "trace", "tracer1", "xtrace1", "trace1x", "other/trace5")
    files = [(tmp_path / name).open("w") for name in names]
    (tmp_path / "trace9").write_text("closed")
    try:
        seen = (tmp_path / "trace123").stat()
        assert open_traces(os.getpid(), str(tmp_path)) == [("trace123", seen.st_dev, seen.st_ino)]
    finally:
        for file in files:
            file.close()


def test_a_job_log_that_is_gone_is_none(tmp_path: Path) -> None:
    """The kernel marks what was removed."""
    with (tmp_path / "trace1").open("w"):
        (tmp_path / "trace1").unlink()
        assert open_traces(os.getpid(), str(tmp_path)) == []


def test_a_process_that_is_gone_has_none(tmp_path: Path) -> None:
    """Nothing is known of a process that cannot be seen."""
    assert open_traces(1, str(tmp_path), proc=str(tmp_path)) == []
