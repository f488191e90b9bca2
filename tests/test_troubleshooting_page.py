"""docs/troubleshooting.md names each sentence that may end a job."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor import errors

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
KINDS = {
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.ExecutorError)
}
ROOMS = (
    "budgets",
    "disk",
    "engine",
    "host",
    "notation",
    "plan",
    "runner",
    "scripts",
    "services",
    "settings",
    "stages",
)
RETURNED = ("disk", "services")
WORDS = 3


def sentences() -> Iterator[str]:
    """Yield how each sentence begins that is raised as an error, up to what differs.

    What has ended a sidecar, or which disk lacks room, is returned first, and then a part of one.
    """
    for room in ROOMS:
        for path in sorted((ROOT / "executor" / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                is_error = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if is_error and node.func.id in KINDS and node.args:  # type: ignore[attr-defined]
                    yield from _beginning(node.args[0])  # type: ignore[attr-defined]
                if room in RETURNED and isinstance(node, ast.Return) and node.value:
                    found = _beginning(node.value, 5)
                    yield from (each for each in found if each[0].isupper() or each[0] == "[")


def _beginning(text: ast.expr, most: int = WORDS) -> Iterator[str]:
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        words = first.value.strip(' "`').split()
        if len(words) >= WORDS:
            yield " ".join(words[:most])


@pytest.mark.parametrize("beginning", sorted(set(sentences())))
def test_each_sentence_is_there(beginning: str) -> None:
    """Its first words stand in the table, where whoever reads a job log looks for them."""
    assert beginning in PAGE.read_text(encoding="utf-8")


def test_sentences_are_found() -> None:
    """There are dozens of them."""
    assert len(set(sentences())) >= 30
