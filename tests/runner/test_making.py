"""What cleanup is told of the making of a job's objects, and the making of cleanup."""

from pathlib import Path

import pytest

from executor.errors import Cancelled
from executor.runner.making import (
    Making,
    begin_making,
    end_making,
    is_over,
    may_appear,
    may_be_there,
)


def _cancelled(temp_dir: str, *, is_idle: bool) -> None:
    with Making(temp_dir, lambda: is_idle):
        assert may_appear(temp_dir)
        raise Cancelled("gitlab-runner ended the stage")


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_stage_whose_requests_are_done_is_finished(tmp_path: Path, *, is_idle: bool) -> None:
    """Cleanup waits only where a request may still be under way, however the stage ends."""
    with pytest.raises(Cancelled):
        _cancelled(str(tmp_path), is_idle=is_idle)
    assert may_appear(str(tmp_path)) is not is_idle


def test_before_prepare_makes_anything_there_is_nothing(tmp_path: Path) -> None:
    """Cleanup does not wait for an engine that prepare never reached."""
    assert not may_be_there(str(tmp_path))
    begin_making(str(tmp_path))
    assert may_be_there(str(tmp_path))


def test_prepare_takes_back_that_cleanup_has_begun(tmp_path: Path) -> None:
    """gitlab-runner may try prepare again after a cleanup, in the same directory."""
    end_making(str(tmp_path))
    assert is_over(str(tmp_path))

    begin_making(str(tmp_path))

    assert not is_over(str(tmp_path))


def test_cleanup_of_a_job_without_its_directory_goes_on(tmp_path: Path) -> None:
    """Nothing can be made where there is no place for a note."""
    end_making(str(tmp_path / "gone"))

    assert list(tmp_path.iterdir()) == []
