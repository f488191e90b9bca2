"""What is left on the host of a slot's sources."""

from pathlib import Path

import pytest

from executor.host.sources import recall, record_name, remember
from executor.notation.sources import SourcesRecord

RECORD = SourcesRecord(1, 1, 0, (0,))
NAME = "sources-x.json"


def test_the_next_job_knows_what_this_one_left(tmp_path: Path) -> None:
    """A record that says nothing is no file."""
    assert recall(str(tmp_path), NAME) == SourcesRecord()

    assert remember(str(tmp_path), NAME, RECORD)
    assert recall(str(tmp_path), NAME) == RECORD

    for _ in range(2):
        assert remember(str(tmp_path), NAME, SourcesRecord())
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["", "missing", "file"])
def test_without_a_directory_nothing_is_left(tmp_path: Path, place: str) -> None:
    """Whoever leaves a record is told, as the next job will not know of it."""
    (tmp_path / "file").touch()
    directory = str(tmp_path / place) if place else ""

    assert not remember(directory, NAME, RECORD)
    assert recall(directory, NAME) == SourcesRecord()


def test_a_record_that_cannot_be_written(tmp_path: Path) -> None:
    """Here its name is taken by a directory."""
    (tmp_path / NAME).mkdir()

    assert not remember(str(tmp_path), NAME, RECORD)
    assert not remember(str(tmp_path), NAME, SourcesRecord())


def test_each_engine_and_slot_has_a_record() -> None:
    """The name says which slot it is of, also where the sources are directories."""
    one, two = "unix:///var/run/docker.sock", "tcp://build:2376"
    names = {
        record_name(one, "slot-0-cache-ab"),
        record_name(two, "slot-0-cache-ab"),
        record_name(one, "slot-0-cache-ab-protected"),
        record_name(one, "/srv/caches/slot-0/ab"),
    }
    assert len(names) == 4
    assert all("slot-0-" in each and "/" not in each for each in names)
