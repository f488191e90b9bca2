"""Which texts a job can get."""

import pytest

from executor.local.pipeline.yaml_loader import is_possible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("plain\n\ttext", True),
        ("\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}", True),
        ("a\0", False),
        ("\ud800", False),
        ("a\udcff", False),
    ],
)
def test_a_text_that_a_job_can_get(text: str, *, expected: bool) -> None:
    """Neither a variable nor a file of UTF-8 holds a NUL or half of a character."""
    assert is_possible(text) == expected
