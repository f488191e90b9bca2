"""Amounts of bytes as people read them."""

import pytest

from executor.notation.sizes import size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1 << 30, "1 GiB"),
        (5 << 60, "5120 PiB"),
    ],
)
def test_a_size(size: int, text: str) -> None:
    """It has the largest unit that leaves something before the point."""
    assert size_text(size) == text
