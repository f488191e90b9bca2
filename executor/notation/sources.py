"""What is kept of a slot's sources, and how their places are named: parsed and written.

Sources that fetching cannot use any more are begun anew in another place: each such beginning is a
*generation*, and the first has the number 0.  Pure: no I/O.
"""

from typing import NamedTuple

_VERSION = 1
_MOST = 1_000_000
_MOST_OLD = 20


class SourcesRecord(NamedTuple):
    """What one job leaves for the next one of its slot; most slots have none."""

    generation: int = 0
    """Whose place the next job fetches into."""
    failures: int = 0
    """How often in a row fetching into it has failed, though GitLab answered; a timeout counts twice."""
    trials: int = 0
    """How often in a row that was so in an empty place as well."""
    old: tuple[int, ...] = ()
    """Generations whose places are to be removed."""

    def as_json(self) -> dict[str, object]:
        """Return what `parse_record` reads."""
        return {"version": _VERSION, **self._asdict()}


def parse_record(decoded: dict[str, object]) -> SourcesRecord:
    """Return what a file says; what cannot be read counts as nothing."""
    if decoded.get("version") != _VERSION:
        return SourcesRecord()
    generation, failures, trials = (
        number(decoded.get(each)) for each in ("generation", "failures", "trials")
    )
    listed = decoded.get("old")
    numbers = (listed if isinstance(listed, list | tuple) else ())[:_MOST_OLD]
    # What is in use is never removed, whatever a file says.
    old = (
        each for each in numbers if type(each) is int and 0 <= each < _MOST and each != generation
    )
    return SourcesRecord(generation, failures, trials, tuple(dict.fromkeys(old)))


def number(value: object) -> int:
    """Return a number that somebody has left; 0 where it is none."""
    return value if type(value) is int and 0 < value < _MOST else 0


def place_of(first: str, generation: int) -> str:
    """Return the name of a generation's place, a volume or directory, by that of the first one."""
    return f"{first}-{generation + 1}" if generation else first
