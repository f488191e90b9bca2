"""Sections read from tables: shapes, and what is wrong with one."""

import tomllib

import pytest

from executor.notation.table import Problems, Table
from executor.settings.keys import STRING_OR_LIST, TABLE_OF_LISTS, Section, key
from executor.settings.reader import read_section


class Inner(Section):
    """What each table of a list is."""

    name: str = key("", default="")


class Shapes(Section):
    """A section with a key of each shape that its default does not show."""

    policy: tuple[str, ...] = key("", default=("always",), shape=STRING_OR_LIST, check=lambda _: "")
    tmpfs: dict[str, str] = key("", default={})
    devices: dict[str, tuple[str, ...]] = key("", default={}, shape=TABLE_OF_LISTS)
    privileged: bool | None = key("", default=None)
    inner: tuple[Inner, ...] = key("", default=(), section=Inner)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Shapes()),
        ('policy = "never"', Shapes(policy=("never",))),
        ('policy = ["a", "b"]', Shapes(policy=("a", "b"))),
        ('[tmpfs]\n"/run" = "rw"', Shapes(tmpfs={"/run": "rw"})),
        ('[devices]\n"a/*" = ["/dev/x"]', Shapes(devices={"a/*": ("/dev/x",)})),
        ("privileged = false", Shapes(privileged=False)),
        ('[[inner]]\nname = "a"\n[[inner]]', Shapes(inner=(Inner(name="a"), Inner()))),
    ],
)
def test_a_key_of_any_shape_is_read(text: str, expected: Shapes) -> None:
    """A string may stand for a list of one; tables and lists of tables are read as deep."""
    problems = Problems()
    assert read_section(Shapes, Table(tomllib.loads(text), problems)) == expected
    assert problems.texts == []


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("policy = 1", "policy: expected a string or a list of strings, found a whole number"),
        ("[tmpfs]\na = 1", "tmpfs.a: expected a string, found a whole number"),
        ('[devices]\na = "b"', "devices.a: expected a list, found a string"),
        ('privileged = "b"', "privileged: expected true or false, found a string"),
        ("inner = 1", "inner: expected a list, found a whole number"),
        ("[[inner]]\nb = 1", "inner[0].b: unknown key"),
    ],
)
def test_a_key_of_another_shape_is_named(text: str, mistake: str) -> None:
    """The sentence names the path and what was expected there."""
    problems = Problems()
    read_section(Shapes, Table(tomllib.loads(text), problems))
    assert problems.texts == [mistake]
