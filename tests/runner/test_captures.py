"""Placeholders, and what a text has of them."""

from executor.runner.captures import placeholder, placeholders_in


def test_a_placeholder_needs_no_quotes() -> None:
    """Whatever the name is: it stands in a shell, a URL or JSON."""
    assert placeholder("MY_KEY") == "placeholder-of-MY_KEY"
    assert placeholder("a b/ü\"'") == "placeholder-of-a-b----"
    assert placeholder("") == "placeholder-of-something-secret"


def test_placeholders_are_found_again() -> None:
    """Each once, wherever it stands."""
    text = f'"https://u:{placeholder("A")}@x/{placeholder("B-1")}" {placeholder("A")}'

    assert placeholders_in(text) == {"A", "B-1"}
    assert placeholders_in("nothing") == frozenset()
