"""JSON that somebody else has written."""

import pytest

from executor.notation.json_text import decoded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "\\u00e9\\ud83d\\ude00"}', {"a": "\N{LATIN SMALL LETTER E WITH ACUTE}\U0001f600"}),
        ('{"\\uD800": ["\\udfff!"]}', {"?": ["?!"]}),
        ('"\\\\ud800"', "\\ud800"),
        ("[1, 2.5, null]", [1, 2.5, None]),
    ],
)
def test_half_a_pair_is_no_character(text: str, found: object) -> None:
    """Whatever comes out can be written to a file."""
    assert decoded(text) == found


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    """Those who call it know two errors."""
    with pytest.raises((ValueError, RecursionError)):
        decoded(text)
