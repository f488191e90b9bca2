"""The tables of docs/reliability.md: each row names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?[^`]*`|`python -m (tests\.load\.\w+)[^`]*`")
_TABLE = re.compile(r"^(\|.*\| test \|)\n\|[-| ]+\|\n((?:\|.*\|\n)*)", re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of each table whose last column has tests."""
    lines = [line for _, table in _TABLE.findall(text) for line in table.splitlines()]
    return [[each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def missing(text: str) -> list[str]:
    """Return what a page names that is not there, and its rows that name nothing."""
    wrong = [row[0] for row in rows(text) if not _NAMED.search(row[-1]) and row[-1] != "the same"]
    for path, name, module in _NAMED.findall(text):
        file = ROOT / (path or f"{module.replace('.', '/')}.py")
        if not file.is_file():
            wrong.append(str(file.relative_to(ROOT)))
        elif name and not re.search(rf"^def {name}\(", file.read_text(), re.MULTILINE):
            wrong.append(f"{path}::{name}")
    return wrong


def test_each_fault_has_a_test_that_is_there() -> None:
    """Every row names a file of tests, a test in it or a command, and all of them exist."""
    text = PAGE.read_text(encoding="utf-8")

    assert missing(text) == []
    assert len(rows(text)) > 20


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("`tests/test_reliability_page.py`", []),
        ("`tests/test_reliability_page.py::test_each_fault_has_a_test_that_is_there`", []),
        ("`python -m tests.load.graceful_stop --times 3`", []),
        ("the same", []),
        ("", ["a fault"]),
        ("somewhere", ["a fault"]),
        ("`tests/test_gone.py`", ["tests/test_gone.py"]),
        ("`tests/test_hooks.py::test_gone`", ["tests/test_hooks.py::test_gone"]),
        ("`python -m tests.load.gone`", ["tests/load/gone.py"]),
    ],
)
def test_a_row_without_a_test_is_found(cell: str, found: list[str]) -> None:
    """A row that names nothing, or what is not there, is named itself."""
    assert (
        missing(f"| fault | what happens | test |\n|---|---|---|\n| a fault | x | {cell} |\n")
        == found
    )
