"""Numbers that survive: restarts, kills between any two moments, files that are no good."""

import json
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.metrics import catalogue
from executor.commands.metrics.catalogue import Metric
from executor.commands.metrics.keeper import FILE, Keeper
from executor.host import state_files
from executor.record import spool, stage
from tests.record.samples import a_job, a_record

HOST = {"outcome": "system_failure", "reason": "engine_away"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path


def keeper(place: Path) -> Keeper:
    return Keeper(str(place), str(place / "spool"))


def leave(place: Path, *records: dict[str, object]) -> None:
    for each in records:
        spool.append(str(place / "spool"), stage.line(each))


def value(found: Keeper, metric: Metric, *labels: str) -> float:
    return found.counts.series[metric.name][labels][0]


def jobs(found: Keeper) -> float:
    return sum(each[0] for each in found.counts.series["jobs"].values())


def test_jobs_are_counted(place: Path) -> None:
    """What the stages leave becomes numbers when somebody looks."""
    found = keeper(place)
    leave(place, *a_job())

    assert found.look()
    assert value(found, catalogue.JOBS, "script_failure", "script") == 1
    assert found.snapshot().series == found.counts.series


def test_what_is_there_at_first_counts(place: Path) -> None:
    """Who has just installed this sees the jobs of before."""
    leave(place, *a_job())
    found = keeper(place)
    found.look()

    assert jobs(found) == 1


@pytest.mark.parametrize("saves", [True, False])
def test_a_restart_in_the_middle_of_a_job(place: Path, *, saves: bool) -> None:
    """Whether the last process could leave its numbers or was killed, the job counts once."""
    first = keeper(place)
    leave(place, *a_job()[:3])
    first.look()
    if saves:
        assert first.save() == ""
    leave(place, *a_job()[3:])

    second = keeper(place)
    second.look()

    assert jobs(second) == 1
    assert sum(map(sum, (each[:-1] for each in second.counts.series["stage_duration_seconds"].values()))) == 5  # fmt: skip


def test_a_kill_after_a_look(place: Path) -> None:
    """What was counted since the file was written is read again, and only that."""
    first = keeper(place)
    leave(place, *a_job())
    first.look()
    first.save()
    leave(place, *a_job())
    first.look()

    second = keeper(place)
    second.look()

    assert (jobs(first), jobs(second)) == (2, 2)


def test_a_file_is_written_only_if_something_is_new(place: Path) -> None:
    """A host without jobs has no reason to write every few seconds."""
    found = keeper(place)
    found.save()
    before = (place / FILE).stat().st_mtime_ns
    found.look()
    found.save()
    assert (place / FILE).stat().st_mtime_ns == before
    leave(place, *a_job())
    found.look()
    found.save()

    assert (place / FILE).stat().st_mtime_ns != before


@pytest.mark.parametrize("content", ["", "{", '{"version": 9}', '{"version": 1, "jobs": 3}'])
def test_a_file_that_is_no_good(place: Path, content: str) -> None:
    """Numbers begin at 0: to count the same jobs again would look like new ones."""
    leave(place, *a_job())
    (place / FILE).write_text(content)
    found = keeper(place)
    leave(place, *a_job())
    found.look()

    assert jobs(found) == 1


def test_a_disk_that_is_full(place: Path, mocker: MockerFixture) -> None:
    """The reason is said, the last file stays, and the next try may work."""
    found = keeper(place)
    found.save()
    leave(place, *a_job())
    found.look()
    full = mocker.patch.object(state_files, "write", side_effect=OSError(28, "No space left"))
    assert found.save() == f"{place}/{FILE} cannot be written: No space left"
    assert json.loads((place / FILE).read_text())["places"] == []
    mocker.stop(full)

    assert found.save() == ""
    assert json.loads((place / FILE).read_text())["places"] != []


def test_lines_that_are_no_records(place: Path) -> None:
    """They are counted once."""
    found = keeper(place)
    spool.append(str(place / "spool"), b"what is this\n")
    found.look()
    found.look()

    assert value(found, catalogue.BAD_LINES) == 1


def test_a_spool_that_cannot_be_read(place: Path) -> None:
    """It is said, and read when it can be."""
    found = keeper(place)
    (place / "spool" / "events.jsonl").symlink_to("/etc/passwd")
    assert not found.look()
    assert found.read_at is None
    (place / "spool" / "events.jsonl").unlink()

    assert found.look()
    assert found.read_at is not None


def test_a_job_that_is_given_up_between_two_attempts(place: Path) -> None:
    """It is over though no record says so: the host's clock of before its boot is ahead."""
    found = keeper(place)
    ahead = 1e9
    leave(
        place,
        a_record("config", ahead, 0.1),
        a_record("prepare", ahead + 1, 1.0, **HOST),
        a_record("cleanup", ahead + 3, 1.0),
    )
    found.look()

    assert value(found, catalogue.JOBS, "system_failure", "engine_away") == 1


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    """Without it no numbers are kept."""
    with pytest.raises(NotADirectoryError):
        Keeper(str(tmp_path / "none"), str(tmp_path))
