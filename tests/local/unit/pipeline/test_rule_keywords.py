"""Keywords that decide whether a job runs."""

import pytest

from executor.local.pipeline.model import Refs
from executor.local.pipeline.rules import Rule
from tests.local.unit.pipeline.reading import assert_mistake, job


def test_a_rule_is_read_whole() -> None:
    """Its conditions and what it adds."""
    text = (
        "rules: [{if: $A, when: manual, changes: {paths: [a], compare_to: b}, exists: [c],"
        " variables: {D: e}, allow_failure: true, interruptible: false}, {changes: [a]}]"
    )
    first = Rule("$A", "manual", ("a",), "b", ("c",), (("D", "e"),), allow_failure=True)
    assert job(text).rules == (first, Rule(changes=("a",)))


def test_lists_are_read_alone_or_in_sections() -> None:
    """A list alone is one of references."""
    assert job("only: main").only == Refs(("main",))
    read = job("except: {variables: [$A], changes: [b]}").excluded
    assert read == Refs(None, ("$A",), ("b",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when: soon", [":when", "soon"]),
        ("only: {kubernetes: active}", [":only", '"kubernetes"']),
        ("only: {variables: ['$A = 1']}", [":only:variables", "$A = 1"]),
        ("rules: [{exists: {project: a}}]", [":exists", '"project"']),
        ("rules: [{changes: {regex: a}}]", [":changes", '"regex"']),
        ("rules: [{allow_failure: 3}]", [":allow_failure"]),
        ("inherit: {other: true}", [":inherit", '"other"']),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the place and what is wrong there."""
    assert_mistake(lambda: job(text), ['job "job"', *words])
