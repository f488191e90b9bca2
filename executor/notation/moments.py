"""Moments as Docker's daemons write them: pure."""

from datetime import datetime


def moment(text: str) -> float | None:
    """Return the seconds since 1970 of such as `2026-01-01T12:00:00.123456789Z`; None if it is none.

    To a millionth of a second.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None
