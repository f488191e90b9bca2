"""Moments as Docker's daemons write them."""

import pytest

from executor.notation.moments import moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.5Z", 10.5),
        ("1970-01-01T00:00:10.123456789Z", 10.123456),
        ("1970-01-01T02:00:10.5+02:00", 10.5),
        ("1970-01-01T00:00:10", None),
        ("0001-01-01T00:00:00Z", -62135596800.0),
        ("", None),
        ("None", None),
        ("yesterday", None),
    ],
)
def test_a_moment(text: str, seconds: float | None) -> None:
    """One without a zone could be any, and is none."""
    assert moment(text) == seconds
