"""Numbers out of records, which anybody who writes to the spool may have made: pure."""

import math
from collections.abc import Mapping


def number(record: Mapping[str, object], key: str) -> float:
    """Return a number of a record; 0 where it is none that one can count with."""
    value = record.get(key)
    if not isinstance(value, int | float):
        return 0.0
    try:
        found = float(value)
    except OverflowError:
        return 0.0
    return found if math.isfinite(found) else 0.0
