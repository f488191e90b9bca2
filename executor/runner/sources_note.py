"""The note by which `run` and cleanup know into which kept sources their job fetches."""

from typing import NamedTuple

from executor.notation.sources import SourcesRecord, number, parse_record
from executor.quick_json import dumps, loads
from executor.runner import notes


class SourcesNote(NamedTuple):
    """What prepare has chosen."""

    state_dir: str
    file: str
    """The record's name in the state directory."""
    first: str
    """The name of the first generation's place."""
    is_volume: bool
    """Whether the places are volumes of the engine, and not directories of its host."""
    generation: int
    """The one that the job has."""
    record: SourcesRecord
    """As it was when the job began."""
    began: float
    """When that was, in seconds of the clock that knows no steps."""
    timeout_seconds: int

    @property
    def is_trial(self) -> bool:
        """Tell whether the job clones into an empty place."""
        return self.generation != self.record.generation

    def leave(self, temp_dir: str) -> None:
        """Leave the note.  Raises OSError."""
        fields = {**self._asdict(), "record": self.record.as_json()}
        notes.leave(temp_dir, notes.SOURCES, dumps(fields).encode())
        if self.is_trial or self.record._replace(generation=0) != SourcesRecord():
            notes.leave(temp_dir, notes.DOUBTFUL_SOURCES)


def read_note(temp_dir: str) -> SourcesNote | None:
    """Return the note, None where nobody left it or it cannot be read."""
    try:
        found = loads(notes.read(temp_dir, notes.SOURCES) or b"{}")
        return SourcesNote(
            str(found["state_dir"]),
            str(found["file"]),
            str(found["first"]),
            bool(found["is_volume"]),
            number(found["generation"]),
            parse_record(found["record"]),
            float(found["began"]),
            int(found["timeout_seconds"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def forget_sources(temp_dir: str) -> None:
    """Forget the note: the job does not fetch into kept sources after all."""
    notes.forget(temp_dir, notes.SOURCES)
    notes.forget(temp_dir, notes.DOUBTFUL_SOURCES)
