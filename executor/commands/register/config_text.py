"""A runner's section beside what an administrator has written into config.toml; pure.

The file is changed as text: its comments and the order of its keys stay.  What comes out is read
again, and must say what the file said before, and the section, and nothing else.
"""

import re
from collections.abc import Iterator, Mapping

from executor.bounds import InvalidToml, toml_table
from executor.notation.toml import value_text

Table = Mapping[str, object]

_SIMPLE = re.compile(r"""\s*[\w-]+\s*=\s*(?:"[^"\\]*"|'[^']*'|[\w.+:-]+)\s*(?:\#.*)?\Z""")
_GLOBAL = r"""(\s*{}\s*=\s*)(?:"[^"\\]*"|'[^']*'|[\w+-]+)(\s*(?:\#.*)?)\Z"""
_EMPTY_LIST = re.compile(r"\s*runners\s*=\s*\[\s*\]\s*\Z")
_RUNNERS = "runners"


class Unchangeable(Exception):
    """The text cannot be changed safely; this one says why, as the end of a sentence."""


def runners_of(document: Table) -> list[dict[str, object]]:
    """Return the runners of a file, their keys in lower case: gitlab-runner knows no case.

    Raises Unchangeable where they are no list of tables.
    """
    keys = [key for key in document if key.lower() == _RUNNERS]
    if not keys:
        return []
    if keys != [_RUNNERS]:
        raise Unchangeable(f"it spells `runners` as {' and '.join(map(repr, keys))}")
    tables = document[_RUNNERS]
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise Unchangeable("its `runners` is not a list of tables, as [[runners]] makes one")
    return [{key.lower(): value for key, value in table.items()} for table in tables]


def global_of(document: Table, name: str) -> object:
    """Return a key above the runners, None where it is not there."""
    return next((value for key, value in document.items() if key.lower() == name), None)


def with_runner(text: str, section: str, settings: Mapping[str, int | str]) -> str:
    """Return the text with one more runner, and with these keys above the runners.

    Raises InvalidToml for a text that is none, and Unchangeable.
    """
    document = toml_table(text)
    runners_of(document)
    for name, value in settings.items():
        text, document = _with_global(text, document, name, value)
    if document.get(_RUNNERS) == []:
        text, document = _without_empty_list(text, document)
    ending = "\r\n" if "\r\n" in text.partition("\n")[0] + "\n" else "\n"
    before = text
    if before and not before.endswith("\n"):
        before += ending
    if before.strip():
        before += ending
    wanted = {**document, _RUNNERS: [*_tables(document), *_tables(toml_table(section))]}
    changed = before + section.replace("\n", ending)
    if says(changed, wanted):
        return changed
    raise Unchangeable("its `runners` is written in another way than as [[runners]]")


def _without_empty_list(text: str, document: Table) -> tuple[str, dict[str, object]]:
    """Return the text without the line that says that there are no runners."""
    rest = {key: value for key, value in document.items() if key != _RUNNERS}
    lines = text.split("\n")
    for at, line in enumerate(lines):
        changed = "\n".join([*lines[:at], *lines[at + 1 :]])
        if _EMPTY_LIST.match(line) and says(changed, rest):
            return changed, rest
    raise Unchangeable("its empty `runners` is written in a way that only people can change")


def _tables(document: Table) -> list[object]:
    tables = document.get(_RUNNERS)
    return tables if isinstance(tables, list) else []


def _with_global(
    text: str, document: Table, name: str, value: int | str
) -> tuple[str, dict[str, object]]:
    """Return the text and what it says, with a key above the runners set."""
    key = next((each for each in document if each.lower() == name), name)
    wanted = {**document, key: value}
    if document.get(key) == value:
        return text, wanted
    lines = text.split("\n")
    tries = _replaced(lines, name, value) if key in document else _inserted(lines, name, value)
    for each in tries:
        changed = "\n".join(each)
        if says(changed, wanted):
            return changed, wanted
    raise Unchangeable(f"its key `{key}` is written in a way that only people can change")


def _replaced(lines: list[str], name: str, value: int | str) -> Iterator[list[str]]:
    """Yield the lines with another value in each line that may be the key's."""
    known = re.compile(_GLOBAL.format(re.escape(name)), re.IGNORECASE)
    for at, before in enumerate(lines):
        if found := known.match(before):
            line = f"{found[1]}{value_text(value)}{found[2]}"
            yield [*lines[:at], line, *lines[at + 1 :]]


def _inserted(lines: list[str], name: str, value: int | str) -> Iterator[list[str]]:
    """Yield the lines with the key behind the last one above all tables, and at the beginning."""
    ending = "\r" if lines[0].endswith("\r") else ""
    line = f"{name} = {value_text(value)}{ending}"
    places = [at + 1 for at in range(_head(lines)) if _SIMPLE.match(lines[at])]
    for at in (*places[-1:], 0):
        yield [*lines[:at], line, *lines[at:]]


def _head(lines: list[str]) -> int:
    """Return how many lines there are before the first one that may be a table's header."""
    starts = (at for at, line in enumerate(lines) if line.lstrip().startswith("["))
    return next(starts, len(lines))


def says(text: str, document: Table) -> bool:
    """Tell whether a text is TOML that says this, and nothing else."""
    try:
        return toml_table(text) == document
    except InvalidToml:
        return False
