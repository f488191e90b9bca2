"""Valid documents and texts with something changed in them, as hypothesis draws them."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Json = object
Path = tuple[str | int, ...]

WORDS = (
    *(
        "",
        " ",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\x1b[31m",
        "\x7f",
        "\u2028",
        "\ufeff",
        "\\ud800",
        "\ud800",
        "\udc80",
    ),
    *("$A", "${A}", "$", "$$", "$A$B", "%s", "%", "{}", "{0}", "\\", "'", '"', "`id`", "#", "!"),
    *("..", "/", "//", "/../", "~", ":", "::", "@", "://", "a://b:c@d", "=", ",", ";", "*", "**"),
    *(
        "-",
        "--",
        "-1",
        "0",
        "00",
        "1",
        "0x10",
        "1_0",
        "1e999",
        "nan",
        "inf",
        "-0",
        ".5",
        "1/0",
        "²",
    ),
    *(
        "٣",
        "\N{FULLWIDTH DIGIT ONE}",
        "½",
        "true",
        "null",
        "yes",
        "é",
        "ß",
        "İ",
        "\N{GREEK SMALL LETTER FINAL SIGMA}",
    ),
    *("9" * 20, "9" * 5000, "a" * 300, "65536", "2147483648", "18446744073709551616", "4294967296"),
    *("[", "]", "{", "}", "<<", "&a", "*a", "!!int", "!reference", "(a+)+$", "(", "2020-99-99"),
    *("tcp", "udp", "/tcp", "1-9/tcp", "ro", "rw", "z", "latest", "docker:dind", "sha256:", "::1"),
    *(
        "glpat-a ",
        "://x@",
        "none",
        "always",
        "root",
        "0:0",
        "host",
        "docker",
        "localhost",
        "g",
        "m",
    ),
)
"""What has a meaning somewhere, or looks as if it had."""

LONGEST = 120_000
_TIMES = (2, 3, 40, 900, 6000, 40_000)
_DEEP = (1, 2, 90, 400)


class Draw(Protocol):
    """Draws a value of a strategy."""

    def __call__(self, strategy: st.SearchStrategy[T]) -> T: ...


def words() -> st.SearchStrategy[str]:
    """Return texts, short ones as a rule."""
    repeated = st.builds(
        lambda word, times: (word * times)[:LONGEST],
        st.sampled_from(WORDS),
        st.sampled_from(_TIMES),
    )
    return st.one_of(
        st.sampled_from(WORDS),
        st.lists(st.sampled_from(WORDS), max_size=4).map("".join),
        st.text(max_size=20),
        repeated,
    )


def values() -> st.SearchStrategy[Json]:
    """Return values of every kind that JSON has."""
    return st.one_of(
        words(),
        st.sampled_from((0, -1, 1, 2**31, 2**63, 2**64, 10**30, 10**4000, 1e308, 0.5)),
        st.sampled_from((float("nan"), float("inf"), None, True, False)),
        st.sampled_from(([], {}, [None], [[]], {"": ""}, {"key": "A", "value": "$A"}, ["", ""])),
        st.lists(words(), max_size=3),
        st.dictionaries(words(), words(), max_size=3),
        st.sampled_from(_DEEP).map(_nested),
    )


def _nested(depth: int) -> Json:
    value: Json = {}
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    return value


def changed_text(draw: Draw, text: str) -> str:
    """Return a text with something put in, left out, doubled, or in another's place."""
    first = draw(st.integers(0, len(text)))
    last = draw(st.integers(first, min(len(text), first + 60)))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return text[:first] + draw(words()) + text[first:]
    if kind == 1:
        return text[:first] + text[last:]
    if kind == 2:
        return text[:first] + draw(words()) + text[last:]
    times = draw(st.sampled_from(_TIMES))
    return text[:first] + (text[first:last] * times)[:LONGEST] + text[last:]


@st.composite
def texts(draw: Draw, samples: Sequence[str]) -> str:
    """Return one of some texts, up to three times changed."""
    text = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 3))):
        text = changed_text(draw, text)
    return text


@st.composite
def documents(draw: Draw, samples: Sequence[Json], most: int = 3) -> Json:
    """Return one of some documents, changed at up to `most` places."""
    document = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, most))):
        document = _changed(draw, document)
    return document


def texts_of(samples: Sequence[Json], written: Callable[[Json], str]) -> st.SearchStrategy[str]:
    """Return what is written of documents with something changed, or texts with."""

    def attempt(document: Json) -> str:
        try:
            return written(document)
        except Exception:  # noqa: BLE001 (a document that nobody can write is no case)
            return ""

    right = [written(each) for each in samples]
    return st.one_of(documents(samples).map(attempt), texts(right))


def _changed(draw: Draw, document: Json) -> Json:
    places = list(_places(document, ()))
    path = draw(st.sampled_from(places))
    value = _at(document, path)
    kind = draw(st.integers(0, 6))
    if kind == 0 and path:
        return _without(document, path)
    if kind == 1 and isinstance(value, list):
        return _with(document, path, value * draw(st.sampled_from((2, 2, 50))))
    if kind == 2 and isinstance(value, dict):
        return _with(document, path, {**value, draw(words()): draw(values())})
    if kind == 3:
        return _with(document, path, copy.deepcopy(_at(document, draw(st.sampled_from(places)))))
    if kind in (4, 5) and isinstance(value, str):
        return _with(document, path, changed_text(draw, value))
    return _with(document, path, draw(values()))


def _places(value: Json, path: Path) -> list[Path]:
    found = [path]
    if isinstance(value, Mapping):
        for key, each in value.items():
            found += _places(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value[:20]):
            found += _places(each, (*path, number))
    return found


def _at(document: Json, path: Path) -> Json:
    for step in path:
        document = document[step]  # type: ignore[index]
    return document


def _with(document: Json, path: Path, value: Json) -> Json:
    if not path:
        return value
    _at(document, path[:-1])[path[-1]] = value  # type: ignore[index]
    return document


def _without(document: Json, path: Path) -> Json:
    del _at(document, path[:-1])[path[-1]]  # type: ignore[attr-defined]
    return document
