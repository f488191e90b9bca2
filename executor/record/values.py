"""Numbers out of records, which anybody who writes to the spool may have made: pure."""

from collections.abc import Mapping

_MOST = 1e15
"""In seconds, some million years; in bytes, more than a disk has."""


def number(record: Mapping[str, object], key: str) -> float:
    """Return a number of a record; 0 where it is none that one can count with."""
    value = record.get(key)
    if not isinstance(value, int | float):
        return 0.0
    # Comparing is exact for whole numbers of any length, and false for what is none at all.
    return float(value) if -_MOST <= value <= _MOST else 0.0
