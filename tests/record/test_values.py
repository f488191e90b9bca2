"""Numbers out of records that anybody may have written."""

import pytest

from executor.record.values import number


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, 3.0), (0.5, 0.5), (-1, -1.0), ("3", 0.0), (None, 0.0), ([1], 0.0)],
)
def test_a_number_is_what_counts(value: object, found: float) -> None:
    """Whatever is no number of JSON's counts as nothing."""
    assert number({"x": value}, "x") == found


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -1e300])
def test_a_number_with_which_nobody_counts(value: object) -> None:
    """Python's JSON reads such numbers, and a sum would never recover from one."""
    assert number({"x": value}, "x") == 0.0


def test_a_key_that_is_missing() -> None:
    """What a record does not say is 0."""
    assert number({}, "x") == 0.0
