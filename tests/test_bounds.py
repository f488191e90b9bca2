"""Numbers and texts of somebody else's, of any size."""

import pytest

from executor.bounds import LARGEST, InvalidToml, port_number, toml_table, whole_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("007", 7),
        (str(LARGEST), LARGEST),
        (str(LARGEST + 1), None),
        ("9" * 5000, None),
        ("0" * 5000 + "1", 1),
        ("", None),
        ("-1", None),
        ("+1", None),
        (" 1", None),
        ("1_0", None),
        ("1.0", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
    ],
)
def test_a_whole_number(text: str, expected: int | None) -> None:
    """Only plain digits are one, up to what the engine takes."""
    assert whole_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-1", -1), ("-2", None), ("10", 10), ("11", None), ("-" + "9" * 5000, None), ("--1", None)],
)
def test_a_whole_number_within_bounds(text: str, expected: int | None) -> None:
    """A number out of the bounds is none, on either side."""
    assert whole_number(text, 10, -1) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1), ("65535", 65535), ("0", None), ("65536", None)]
)
def test_a_port(text: str, expected: int | None) -> None:
    """There are 65535 of them."""
    assert port_number(text) == expected


def test_toml_is_read() -> None:
    """Nothing that an administrator writes is refused."""
    text = 'a = -9223372036854775808\r\n[b."c.d"]\ne = [1, [2, {f = 1.5}]]'

    assert toml_table(text) == {"a": -(2**63), "b": {"c.d": {"e": [1, [2, {"f": 1.5}]]}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = ", "Invalid value (at line 1, column 5, the end)"),
        (
            "\n[docker]\nshm_size = " + "9" * 5000,
            "line 3: `shm_size` has a number that is too long",
        ),
        ("[docker]\nshm_size = 9223372036854775808", "the number of `shm_size` is too large"),
        ("a = 0x" + "f" * 5000, "the number of `a` is too large"),
        ("a = [0x" + "f" * 5000 + "]", "the number of `a` is too large"),
        (
            "a = " + "[" * 5000 + "]" * 5000,
            "its lists or tables are nested more than 50 levels deep",
        ),
        ("a = " + "{a = " * 5000, "its lists or tables are nested more than 50 levels deep"),
        ("[" + "a." * 60 + "a]", "its lists or tables are nested more than 50 levels deep"),
        ("a." * 2000 + "a = 1", "line 1: its key has more than 1000 parts"),
    ],
    ids=lambda text: text[:20],
)
def test_toml_that_is_none(text: str, expected: str) -> None:
    """The sentence says where, if the parser or the text tells."""
    with pytest.raises(InvalidToml) as raised:
        toml_table(text)

    assert str(raised.value) == expected
