"""Dotenv reports."""

import pytest

from executor.local.server.dotenv import variables_in


def test_each_line_is_a_variable() -> None:
    """Comments and empty lines are none, quotes around a value go."""
    text = "# said\n\nA=1\nB = two words \nexport C='c=d'\nD=\"\"\nE=it's\n"
    assert variables_in(text) == (
        ("A", "1"),
        ("B", "two words"),
        ("C", "c=d"),
        ("D", ""),
        ("E", "it's"),
    )


@pytest.mark.parametrize("text", ["A", "A=1\n2B=1", "A B=1"])
def test_another_line_is_refused_with_its_number(text: str) -> None:
    """The whole report counts for nothing then."""
    with pytest.raises(ValueError, match=r"line [12] is not KEY=VALUE"):
        variables_in(text)


def test_a_nul_is_refused() -> None:
    """No later job could get it in its environment."""
    with pytest.raises(ValueError, match="line 2 holds a NUL"):
        variables_in("A=1\nB=\0\n")
