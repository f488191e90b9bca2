"""TOML as it is written is read as it was meant."""

import tomllib
from datetime import date

import pytest

from executor.notation.toml import entry_lines, is_list_of_tables, key_text, value_text


@pytest.mark.parametrize(
    "value",
    [
        True,
        3,
        0.5,
        "",
        'a "quoted" \\ text',
        "größer\n\t\x7f",
        [],
        ["a", 1, [True]],
        {},
        {"/tmp": "rw", "a.b": {"c-d": 1}},
    ],
)
def test_a_value_is_read_as_it_was(value: object) -> None:
    """A value of each kind stands on one line and keeps its meaning."""
    text = value_text(value)

    assert "\n" not in text
    assert tomllib.loads(f"key = {text}") == {"key": value}


def test_a_value_of_another_kind_is_a_mistake_to_be_read() -> None:
    """No key has a date, so one is written as a string, which is refused with the settings."""
    assert value_text(date(2026, 1, 2)) == '"2026-01-02"'


@pytest.mark.parametrize(
    ("key", "text"), [("a_b-1", "a_b-1"), ("a.b", '"a.b"'), ("", '""'), ("ä", '"ä"')]
)
def test_a_key_is_quoted_if_it_must_be(key: str, text: str) -> None:
    """A key of letters, digits, dashes and underscores stands as it is, and others in quotes."""
    assert key_text(key) == text
    assert tomllib.loads(f"{text} = 1") == {key: 1}


def test_a_list_of_tables_gets_a_header_for_each() -> None:
    """The tables of a list follow each other, each below the path of the list."""
    services = [{"name": "redis:7", "command": ["a"]}, {"name": "b", "odd key": "c"}]

    text = "\n".join(entry_lines("docker.services", services))

    assert text.count("[[docker.services]]\n") == 2
    assert tomllib.loads(text) == {"docker": {"services": services}}


@pytest.mark.parametrize("value", [[], ["a"], [{"a": 1}, "b"], {"a": 1}, "a"])
def test_another_value_stands_behind_its_key(value: object) -> None:
    """What is no list of tables alone is written on the line of its key."""
    assert not is_list_of_tables(value)
    assert list(entry_lines("docker.tmpfs", value)) == [f"tmpfs = {value_text(value)}"]
