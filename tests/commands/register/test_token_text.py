"""Another token in config.toml, as text: nothing else changes, whatever an administrator wrote."""

import datetime as dt
import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.bounds import InvalidToml
from executor.commands.register.config_text import Unchangeable
from executor.commands.register.token_text import with_token
from tests import toml

OLD, NEW = "glrt-abcdefghijklmnopqrst", "glrt-t3_0123456789.abcdefghij"
NOW = dt.datetime(2026, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
FILE = f"""\
# Ours. Ask platform@example.com before you change it.
concurrent = 1  # small host

[[runners]]
  name = "other"
  token = "glrt-anotheranotheranothe"
  token_expires_at = 2027-01-01T00:00:00Z

# Of builders.
[[runners]]
  name = "old"   # do not touch
  token_obtained_at = 2025-01-01T00:00:00Z
  Token = '{OLD}'  # made by hand
  token_expires_at = 0001-01-01T00:00:00Z # never
  executor = "custom"
  [runners.custom]
    run_exec = "/opt/run"
"""


def replaced(text: str, expires: dt.datetime | None = None) -> str:
    return with_token(text, OLD, NEW, NOW, expires)


def test_only_the_lines_of_the_token_change() -> None:
    """Its value and its times; comments, other runners and their times stay."""
    expected = FILE.replace(f"'{OLD}'", f'"{NEW}"').replace("2025-01-01", "2026-02-03")
    expected = expected.replace("_at = 2026-02-03T00:00:00Z", "_at = 2026-02-03T04:05:06Z")

    assert replaced(FILE) == expected
    assert replaced(FILE, LATER) == expected.replace("0001-01-01T00", "2026-03-03T00")


def test_line_endings_stay() -> None:
    """Also those of another system."""
    text = FILE.replace("\n", "\r\n")

    assert replaced(text).replace("\r\n", "\n") == replaced(FILE)


def test_each_runner_with_the_token() -> None:
    """One token may be in several sections."""
    text = f'[[runners]]\ntoken = "{OLD}"\n[[runners]]\nurl = "u"\ntoken = "{OLD}"\n'

    assert [each["token"] for each in tomllib.loads(replaced(text))["runners"]] == [NEW, NEW]


@pytest.mark.parametrize(
    "text",
    [
        "",
        FILE.replace(OLD, "glrt-zzzzzzzzzzzzzzzzzzzz"),
        f'runners = [{{name = "old", token = "{OLD}"}}]\n',
        f'[[runners]]\ntoken = """{OLD}"""\n',
        f'[[runners]]\ntoken = "{OLD}"\n[runners.cache]\ntoken = "x"\n[other]\ntoken = "{OLD}"\n',
        f'[[runners]]\nnote = """\ntoken = "{OLD}"\n"""\ntoken = "{OLD}"\n',
    ],
)
def test_what_only_people_can_change_stays(text: str) -> None:
    """What a line means is never guessed."""
    with pytest.raises(Unchangeable):
        replaced(text)


def test_no_toml() -> None:
    """What is none is not changed."""
    with pytest.raises(InvalidToml):
        replaced("[[runners]")


VALUES = st.one_of(st.integers(0, 9), st.booleans(), st.text(string.printable, max_size=9))
KEYS = st.text(string.ascii_lowercase, min_size=1, max_size=6).filter(
    lambda each: each not in ("token", "runners", "custom")
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@settings(max_examples=60, deadline=None)
@given(TABLES, st.lists(st.tuples(TABLES, TABLES, st.booleans()), max_size=3), TABLES)
def test_whatever_else_a_file_says_it_says_again(
    above: dict[str, object],
    others: list[tuple[dict[str, object], dict[str, object], bool]],
    table: dict[str, object],
) -> None:
    """With the new token where the old one was."""
    runners: list[dict[str, object]] = [
        {**keys, "token": OLD if has_it else "glrt-x", "custom": custom}
        for keys, custom, has_it in others
    ]
    runners.append({**table, "token": OLD})
    text = toml.dumps({**above, "runners": runners})

    changed = tomllib.loads(replaced(text))

    expected = tomllib.loads(text)
    for each in expected["runners"]:
        each["token"] = each["token"].replace(OLD, NEW)
    assert changed == expected
