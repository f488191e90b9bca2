"""The last jobs: as many as are shown, whole, and in order."""

from pathlib import Path

from executor.commands.metrics.page.history import MOST_JOBS, History
from tests.commands.metrics.page.samples import leave, of
from tests.record.samples import KEY, a_job, a_record


def test_a_job_that_goes_on_and_ends(tmp_path: Path) -> None:
    """It moves from the ones that run to those that are over, with all its records."""
    history = History(str(tmp_path))
    assert history.look() == ([], [])
    leave(tmp_path, *a_job()[:2])

    (going,), over = history.look()
    assert (going.key, len(going.records), going.ended, over) == (KEY, 2, None, [])
    assert going.state.prepared
    leave(tmp_path, *a_job()[2:])

    still, (ended,) = history.look()
    assert (still, ended.key, len(ended.records)) == ([], KEY, 5)
    assert ended.ended is not None
    assert ended.ended.result == "script_failure"
    assert history.look() == ([], [ended])


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    """However many there were, the latest are shown, the latest first."""
    for number in range(MOST_JOBS + 20):
        leave(tmp_path, *of(f"{number}-a", a_job()))

    _, over = History(str(tmp_path)).look()

    assert [each.key for each in over] == [f"{each}-a" for each in range(119, 19, -1)]


def test_a_job_of_very_many_calls(tmp_path: Path) -> None:
    """Its first ones are kept."""
    runs = [a_record("run", 103.0 + each, 0.1, step="get_sources") for each in range(500)]
    leave(tmp_path, *a_job()[:2], *runs)

    (going,), _ = History(str(tmp_path)).look()

    assert len(going.records) == 200


def test_a_second_cleanup_is_no_job(tmp_path: Path) -> None:
    """It leaves nothing behind."""
    leave(tmp_path, *a_job(), a_job()[-1])

    going, over = History(str(tmp_path)).look()

    assert (going, len(over), len(over[0].records)) == ([], 1, 5)


def test_a_spool_that_cannot_be_read(tmp_path: Path) -> None:
    """What was read before is shown."""
    history = History(str(tmp_path))
    leave(tmp_path, *a_job())
    history.look()
    (tmp_path / "events.jsonl").unlink()
    (tmp_path / "events.jsonl").symlink_to("/etc/passwd")

    _, over = history.look()

    assert len(over) == 1
