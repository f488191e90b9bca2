"""HTML in which every text is a text."""

from html.parser import HTMLParser

import pytest

from executor.commands.metrics.page.markup import Html, joined, table, tag, text

EVIL = "<script>alert(1)</script>\"'& onload=x <img src=x onerror=y>"


class Reader(HTMLParser):
    """Reads elements and texts as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_text_stays_a_text() -> None:
    """No mark in it opens anything, neither in an element nor in an attribute."""
    found = Reader(tag("p", EVIL, title=EVIL, data_x=EVIL))

    assert found.tags == [("p", {"title": EVIL, "data-x": EVIL})]
    assert "".join(found.texts) == EVIL


def test_what_was_made_here_is_kept() -> None:
    """Elements stand in elements; nothing stands for nothing."""
    inner = tag("b", "x")

    assert tag("p", inner, None, " & ") == "<p><b>x</b> &amp; </p>"
    assert joined(inner, inner) == "<b>x</b><b>x</b>"
    assert isinstance(joined("x"), Html)


def test_attributes() -> None:
    """Python's words get an underscore, and what is None is left out."""
    assert tag("a", class_="x", href=None, aria_label="y") == '<a class="x" aria-label="y"></a>'
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


@pytest.mark.parametrize("strange", ["\x00", "\x1b", "\u202e", "\u2066", "\ud800", "\x85"])
def test_characters_that_change_others(strange: str) -> None:
    """Neither a terminal's nor a line's direction is changed, and the page can be encoded."""
    found = text(f"a{strange}b")

    assert found == "a\N{REPLACEMENT CHARACTER}b"
    assert found.encode()


def test_a_table() -> None:
    """Each cell has the class of its column."""
    found = Reader(table(("Job", "Whose fault"), [("1", tag("b", "x"))], "jobs"))

    assert [(name, attributes.get("class")) for name, attributes in found.tags] == [
        ("table", "jobs"),
        *(("thead", None), ("tr", None), ("th", "job"), ("th", "whose-fault")),
        *(("tbody", None), ("tr", None), ("td", "job"), ("td", "whose-fault"), ("b", None)),
    ]
