"""HTML by construction: whatever is not made here is a text, and becomes one.  Pure."""

from html import escape

_ALONE = frozenset(("link", "meta"))


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *parts: "Html | str | None", **attributes: str | None) -> Html:
    """Return an element; attributes that are None are left out, and `class_` stands for `class`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _ALONE:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{joined(*parts)}</{name}>")


def joined(*parts: "Html | str | None") -> Html:
    """Return parts one after the other."""
    return Html("".join(text(each) for each in parts if each is not None))


def text(part: "Html | str") -> str:
    """Return a part as it stands in HTML: control characters and marks that turn a line around go."""
    if isinstance(part, Html):
        return part
    return escape(
        "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in part)
    )


def table(head: tuple[str, ...], rows: list[tuple["Html | str", ...]], class_: str) -> Html:
    """Return a table whose cells have a class each by the name of their column."""
    names = [each.lower().replace(" ", "-").replace("'", "") for each in head]
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", each, scope="col", class_=name) for each, name in zip(head, names, strict=True)))),
        tag("tbody", *(tag("tr", *(tag("td", cell, class_=name) for cell, name in zip(row, names, strict=True))) for row in rows)),
        class_=class_,
    )  # fmt: skip
