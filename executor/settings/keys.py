"""What a settings key is: its type, its bounds and its documentation, all beside its default.

A section of the settings is a frozen dataclass; every field is a key whose `metadata` is made by
`about`, or a nested section. Reading, checking and documenting go by these fields alone, so that
a new key is one new field. Pure.
"""

from collections.abc import Callable
from dataclasses import Field, fields
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from executor.notation.table import Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Check = Callable[[str], str]
"""Returns what is wrong with a string, "" where nothing is."""

Section = TypeVar("Section", bound="DataclassInstance")

_KEY = "key"

STRING_OR_LIST = "a string, or a list of strings"
TABLE_OF_LISTS = "a table of lists of strings"
SHAPES = (STRING_OR_LIST, TABLE_OF_LISTS)


class Key(NamedTuple):
    """What is known of a key beyond its name and default."""

    doc: str
    """Meaning and unit, for an operator."""
    same_as: str
    """The key of gitlab-runner's config.toml that means the same, "" where the key is ours."""
    unit: str
    choices: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    check: Check | None
    """Looks at a string, or at each string of a list, but not at an empty string, which is good
    where the default is empty and else is not."""
    check_name: Check | None
    """Looks at each name in a table."""
    otherwise: str
    """The default in words, where it depends on something else; the key is then shown unset."""
    shape: str
    """What the default's type does not say; one of `SHAPES`, or ""."""
    section: "type[DataclassInstance] | None"
    """The section that each table of a list of tables is."""


def about(  # noqa: PLR0913 (all by keyword, but for the text)
    doc: str,
    *,
    same_as: str = "",
    unit: str = "",
    choices: tuple[str, ...] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    check: Check | None = None,
    check_name: Check | None = None,
    otherwise: str = "",
    shape: str = "",
    section: "type[DataclassInstance] | None" = None,
) -> dict[str, Key]:
    """Return the metadata of a field that is a key of the settings."""
    return {
        _KEY: Key(
            doc,
            same_as,
            unit,
            choices,
            minimum,
            maximum,
            check,
            check_name,
            otherwise,
            shape,
            section,
        )
    }


def key_of(each: "Field[object]") -> Key | None:
    """Return the key that a field is, None for a nested section."""
    key = each.metadata.get(_KEY)
    return key if isinstance(key, Key) else None


def read_section(kind: type[Section], table: Table) -> Section:
    """Read a section and its nested ones; mistakes are noted in the table's problems.

    A section's `REFUSED` says of keys that an operator may bring along why they cannot be.
    """
    make: Callable[..., Section] = kind
    values = {each.name: _read(each, table) for each in fields(kind)}
    table.note_unknown_keys(getattr(kind, "REFUSED", {}))
    return make(**values)


def _read(each: "Field[object]", table: Table) -> object:
    key = key_of(each)
    if key is None:
        nested: object = each.default_factory
        if not isinstance(nested, type):
            raise TypeError(f"{each.name} is neither a key nor a section")
        return read_section(nested, table.table(each.name))
    if key.section:
        return tuple(read_section(key.section, each) for each in table.tables(each.name))
    if each.default_factory is dict:
        return _read_table(each.name, key, table)
    return _read_value(each.name, each.default, key, table)


def _read_value(name: str, default: object, key: Key, table: Table) -> object:
    if default is None:
        return table.optional_boolean(name)
    if isinstance(default, bool):
        return table.boolean(name, default=default)
    if isinstance(default, int):
        return table.integer(name, default, minimum=key.minimum, maximum=key.maximum)
    if isinstance(default, str):
        return _read_string(name, default, key, table)
    if isinstance(default, tuple):
        return _read_strings(name, default, key, table)
    raise TypeError(f"no reader for the type of {name}")


def _read_table(name: str, key: Key, table: Table) -> dict[str, object]:
    """Read a table of strings or of lists of strings; a check looks at the values."""
    nested = table.table(name)
    for each in nested.names():
        wrong = key.check_name(each) if key.check_name else ""
        if wrong:
            nested.note(each, wrong)
    if key.shape == TABLE_OF_LISTS:
        return {each: _read_strings(each, (), key, nested) for each in nested.names()}
    return {each: _read_string(each, "", key, nested) for each in nested.names()}


def _read_string(name: str, default: str, key: Key, table: Table) -> str:
    if key.choices:
        return table.choice(name, key.choices, default)
    value = table.string(name, default)
    wrong = key.check(value) if key.check and value else ""
    if default and not value:
        wrong = "it must not be empty"
    if wrong:
        table.note(name, wrong)
        return default
    return value


def _read_strings(name: str, default: tuple[str, ...], key: Key, table: Table) -> tuple[str, ...]:
    single = key.shape == STRING_OR_LIST
    values = table.string_or_strings(name, default) if single else table.strings(name, default)
    for place, value in enumerate(values):
        wrong = key.check(value) if key.check else ""
        if wrong:
            table.note_element(name, place, wrong)
    return values
