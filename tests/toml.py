"""TOML, written: as much of it as config.toml needs. Pure."""

from collections.abc import Mapping

from executor.notation.toml import is_list_of_tables, key_text, value_text


def dumps(table: Mapping[str, object]) -> str:
    """Return a table as the text of a TOML file."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    lines = [
        f"{key_text(key)} = {value_text(value)}"
        for key, value in table.items()
        if not isinstance(value, Mapping) and not is_list_of_tables(value)
    ]
    for key, value in table.items():
        below = (*path, key_text(key))
        if isinstance(value, Mapping):
            lines += [f"[{'.'.join(below)}]", *_lines(value, below)]
        elif isinstance(value, list) and is_list_of_tables(value):
            for entry in value:
                lines += [f"[[{'.'.join(below)}]]", *_lines(entry, below)]
    return lines
