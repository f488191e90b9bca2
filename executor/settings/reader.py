"""Reads a section of the settings from its table, by what is declared of each key: pure."""

from typing import TypeVar

from executor.notation.table import Table
from executor.settings.keys import STRING_OR_LIST, TABLE_OF_LISTS, Key, Section

Kind = TypeVar("Kind", bound=Section)


def read_section(kind: type[Kind], table: Table) -> Kind:
    """Read a section and what is below it; mistakes are noted in the table's problems."""
    values = _read_group(kind, table, "")
    table.note_unknown_keys(kind.REFUSED)
    return values


def _read_group(kind: type[Kind], table: Table, prefix: str) -> Kind:
    values: dict[str, object] = {}
    for name, each in kind.DECLARED.items():
        if isinstance(each, Key):
            values[name] = _read(prefix + name, each, table)
        elif each.grouped:
            values[name] = _read_group(each.factory, table, each.prefix)
        else:
            values[name] = read_section(each.factory, table.table(name))
    return kind(**values)


def _read(name: str, each: Key, table: Table) -> object:
    if not table.has(name):
        return each.initial()
    if each.section:
        return tuple(read_section(each.section, one) for one in table.tables(name))
    if isinstance(each.default, dict):
        return _read_table(name, each, table)
    return _read_value(name, each.default, each, table)


def _read_value(name: str, default: object, each: Key, table: Table) -> object:
    if default is None:
        return table.optional_boolean(name)
    if isinstance(default, bool):
        return table.boolean(name, default=default)
    if isinstance(default, int):
        return table.integer(name, default, minimum=each.minimum, maximum=each.maximum)
    if isinstance(default, str):
        return _read_string(name, default, each, table)
    if isinstance(default, tuple):
        return _read_strings(name, default, each, table)
    raise TypeError(f"no reader for the type of {name}")


def _read_table(name: str, each: Key, table: Table) -> dict[str, object]:
    """Read a table of strings or of lists of strings; a check looks at the values."""
    nested = table.table(name)
    for inner in nested.names():
        wrong = each.check_name(inner) if each.check_name else ""
        if wrong:
            nested.note(inner, wrong)
    if each.shape == TABLE_OF_LISTS:
        return {inner: _read_strings(inner, (), each, nested) for inner in nested.names()}
    return {inner: _read_string(inner, "", each, nested) for inner in nested.names()}


def _read_string(name: str, default: str, each: Key, table: Table) -> str:
    if each.choices:
        return table.choice(name, each.choices, default)
    value = table.string(name, default)
    wrong = each.check(value) if each.check and value else ""
    if default and not value:
        wrong = "it must not be empty"
    if wrong:
        table.note(name, wrong)
        return default
    return value


def _read_strings(name: str, default: tuple[str, ...], each: Key, table: Table) -> tuple[str, ...]:
    single = each.shape == STRING_OR_LIST
    values = table.string_or_strings(name, default) if single else table.strings(name, default)
    for place, value in enumerate(values):
        wrong = each.check(value) if each.check else ""
        if wrong:
            table.note_element(name, place, wrong)
    return values
