"""How much is shown of a text."""

from executor.excerpts import excerpt, readable


def test_a_short_text_is_shown_whole() -> None:
    """Nothing is cut that fits."""
    assert excerpt("x" * 200) == readable("x" * 200) == "x" * 200


def test_a_long_text_is_shown_in_part() -> None:
    """Its beginning says what it is, and its end often what is wrong with it."""
    assert excerpt("a" * 1000 + "z" * 1000, 12) == "aaaaaaaaa [...] zzz"


def test_each_line_of_sentences_is_bounded() -> None:
    """A list of mistakes keeps its lines, the first two hundred of them."""
    shown = readable("short\n" + "x" * 100_000 + "\nlast").split("\n")
    many = readable("a line\n" * 1000).split("\n")

    assert (shown[0], shown[2]) == ("short", "last")
    assert len(shown[1]) < 1100
    assert len(many) == 201
