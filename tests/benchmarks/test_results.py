"""The file of samples."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Sample, Task
from tests.benchmarks import small

FAILED = Sample(Task(2, "jobs", "26.1", 2, "echo", "dind-executor"), {})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A file holds all samples, those without figures too, and where they were taken."""
    found = small.results()
    found = replace(found, samples=(*found.samples, FAILED))

    results.write(tmp_path / "file", found)

    assert results.read(tmp_path / "file") == found
    assert results.failures(found.samples) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_without_samples_is_read(tmp_path: Path) -> None:
    """A measurement that was interrupted before its first sample can be continued."""
    found = replace(small.results(), samples=())

    results.write(tmp_path / "file", found)

    assert results.read(tmp_path / "file") == found


def test_a_job_that_failed_is_measured_again() -> None:
    """What is continued has forgotten its failures."""
    found = replace(small.results(), samples=(FAILED,))

    assert found.without_failures().done == frozenset()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    """Figures of another version may mean something else."""
    (tmp_path / "file").write_text('{"version": 0}', encoding="utf-8")

    with pytest.raises(ValueError, match="is not of version 1"):
        results.read(tmp_path / "file")
