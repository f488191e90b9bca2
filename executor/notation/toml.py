"""TOML, written: values on one line, keys, and lists of tables; pure."""

import json
from collections.abc import Iterator, Mapping


def value_text(value: object) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(key)} = {value_text(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(str(value))  # a date: no key has one, so it is read as a mistake


def key_text(key: str) -> str:
    """Return a key as it is written, in quotes if it needs them."""
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else value_text(key)


def entry_lines(path: str, value: object) -> Iterator[str]:
    """Yield the lines of a key below a table; `path` has both, and the table's own header is there.

    A list of tables gets a header for each, so it must come after the other keys of its table.
    """
    if not is_list_of_tables(value) or not isinstance(value, list):
        yield f"{key_text(path.rpartition('.')[2])} = {value_text(value)}"
        return
    for entry in value:
        yield f"[[{path}]]"
        yield from (f"{key_text(name)} = {value_text(each)}" for name, each in entry.items())


def is_list_of_tables(value: object) -> bool:
    """Tell whether a value is written as a list of tables, each below a header."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
