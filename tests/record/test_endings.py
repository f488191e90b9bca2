"""Whose fault it is that a job ended so."""

import pytest

from executor.record.endings import ENDINGS, Ended, fault_of


@pytest.mark.parametrize(
    ("result", "reason", "fault"),
    [
        ("success", "none", "nobody"),
        ("canceled", "cancelled", "nobody"),
        ("timeout", "cancelled", "job author"),
        ("script_failure", "image", "job author"),
        ("system_failure", "dind", "administrator"),
        ("system_failure", "gone", "administrator"),
    ],
)
def test_whose_fault(result: str, reason: str, fault: str) -> None:
    """A person sees at once whether anything is for the administrator to do."""
    assert fault_of(result, reason) == fault
    assert Ended("k", result, reason).fault == fault
    assert result == "success" or (result, reason) in ENDINGS
