"""How much is shown of a text."""

from executor.excerpts import excerpt, readable, without_halves


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


def test_half_of_a_secret_where_a_text_was_cut() -> None:
    """What is left of it on either side is masked too, though it is not the secret."""
    secret = "0123456789abcdef"
    cut = excerpt(f"image {secret * 40} is none", 30)

    assert cut == "image 0123456789abcdef0 [...] is none"
    assert without_halves(excerpt(f"{'x' * 10}{secret * 40}", 20), [secret]) == (
        "xxxxxxxxxx[MASKED] [...] [MASKED]"
    )
