"""What cleanup is told of a stage by files."""

from pathlib import Path

import pytest

from executor.errors import Cancelled
from executor.runner.notes import begin_making, is_unfinished, may_have_made, unfinished


def _cancelled(temp_dir: str, *, is_idle: bool) -> None:
    with unfinished(temp_dir, lambda: is_idle):
        assert is_unfinished(temp_dir)
        raise Cancelled("gitlab-runner ended the stage")


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_stage_whose_requests_are_done_is_finished(tmp_path: Path, *, is_idle: bool) -> None:
    """However it ends; where one may be under way, cleanup is to wait for it."""
    with pytest.raises(Cancelled):
        _cancelled(str(tmp_path), is_idle=is_idle)
    assert is_unfinished(str(tmp_path)) is not is_idle


def test_before_prepare_makes_anything_there_is_nothing(tmp_path: Path) -> None:
    """Cleanup does not wait for an engine that prepare never reached."""
    assert not may_have_made(str(tmp_path))
    begin_making(str(tmp_path))
    assert may_have_made(str(tmp_path))
