"""What prepare notes of the sources into which its job fetches."""

from pathlib import Path

import pytest

from executor.notation.sources import SourcesRecord
from executor.runner import notes
from executor.runner.sources_note import SourcesNote, forget_sources, read_note

NOTE = SourcesNote(
    "/state",
    "sources-x.json",
    "slot-cache",
    is_volume=True,
    generation=0,
    record=SourcesRecord(),
    began=12.5,
    timeout_seconds=3600,
)


@pytest.mark.parametrize(
    ("note", "is_doubtful"),
    [
        (NOTE, False),
        (NOTE._replace(generation=2, record=SourcesRecord(2)), False),
        (NOTE._replace(record=SourcesRecord(failures=1)), True),
        (NOTE._replace(record=SourcesRecord(2, old=(1,)), generation=2), True),
        (NOTE._replace(generation=1), True),
    ],
)
def test_later_calls_read_it(tmp_path: Path, note: SourcesNote, *, is_doubtful: bool) -> None:
    """They need to read it only where something is to be remembered, or removed."""
    note.leave(str(tmp_path))

    assert read_note(str(tmp_path)) == note
    assert notes.is_left(str(tmp_path), notes.DOUBTFUL_SOURCES) is is_doubtful


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"generation": 1}', b'{"record": 1}'])
def test_a_note_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """The job goes on without."""
    notes.leave(str(tmp_path), notes.SOURCES, content)

    assert read_note(str(tmp_path)) is None


def test_most_jobs_have_none(tmp_path: Path) -> None:
    """A job that clones into a directory of its own leaves no note."""
    assert read_note(str(tmp_path)) is None


def test_a_job_that_gets_other_sources_after_all(tmp_path: Path) -> None:
    """Nothing of the note is left for later calls."""
    NOTE._replace(generation=1).leave(str(tmp_path))

    forget_sources(str(tmp_path))

    assert list(tmp_path.iterdir()) == []
