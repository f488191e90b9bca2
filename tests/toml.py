"""TOML, written: as much of it as config.toml needs. Pure."""

import json
from collections.abc import Mapping


def dumps(table: Mapping[str, object]) -> str:
    """Return a table as the text of a TOML file."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    lines = [
        f"{json.dumps(key)} = {json.dumps(value)}"
        for key, value in table.items()
        if not _is_table(value)
    ]
    for key, value in table.items():
        below = (*path, json.dumps(key))
        if isinstance(value, Mapping):
            lines += [f"[{'.'.join(below)}]", *_lines(value, below)]
        elif _is_table(value) and isinstance(value, list):
            for entry in value:
                lines += [f"[[{'.'.join(below)}]]", *_lines(entry, below)]
    return lines


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping)
