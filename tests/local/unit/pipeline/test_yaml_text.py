"""YAML and !reference."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import YamlVariable
from executor.local.pipeline.rules import Rule
from tests.limited import limited
from tests.local.unit.pipeline.reading import assert_mistake


def test_references_bring_parts_of_other_jobs() -> None:
    """A reference stands in a list, as a list or as a value, and may lead to another."""
    pipeline = parse_pipeline(
        """
.setup:
  script: [first, second]
  variables: {A: one}
  rules: [{if: $A}]
.more:
  script: [!reference [.setup, script], third]
job:
  variables: {A: !reference [.setup, variables, A]}
  before_script: !reference [.setup, script]
  script: [!reference [.more, script], last]
  rules: [!reference [.setup, rules], {when: never}]
""",
        "ci.yml",
    )
    (job,) = pipeline.jobs
    assert job.before_script == ("first", "second")
    assert job.rules == (Rule("$A"), Rule(when="never"))
    assert job.script == ("first", "second", "third", "last")
    assert job.variables == (YamlVariable("A", "one"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("job: [", ["line 1"]),
        ("spec: {inputs: {}}\n---\njob: {script: [x]}", ["`spec:` is not supported", "GitLab"]),
        ("spec: {}\njob: {script: [x]}", ["spec", "not supported"]),
        ("job: {script: [!reference [a, b]]}", ["!reference"]),
        ("job: {script: [!reference [.a, b]]}", ["!reference [.a, b]", 'no ".a"']),
        (".a: {}\njob: {script: [!reference [.a, b]]}", ["!reference [.a, b]", 'no "b"']),
        ("job: {script: !reference [job, script]}", ["refers to itself"]),
        ("job: {script: !reference x}", ["line 1", "!reference", "a list"]),
        ("job: {script: !other x}", ["line 1", "!other"]),
        ("a: 1\n\nb: \x1f", ["line 3", "U+001F"]),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the file, the place and what is wrong there."""
    assert_mistake(lambda: parse_pipeline(text, "some/ci.yml"), ["some/ci.yml: ", *words])


NINE = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
REFERENCES = ".a0: {script: [x, x, x, x, x, x, x, x, x]}\n" + "".join(
    f".a{n}: {{script: [{', '.join([f'!reference [.a{n - 1}, script]'] * 9)}]}}\n"
    for n in range(1, 9)
)
MERGES = ".a0: &a0 {a: 1, b: 2, c: 3}\n" + "".join(
    f".a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)
)
EXTENDS = ".a0: {variables: {A: x}}\n" + "".join(
    f".a{n}: {{extends: [{', '.join([f'.a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NINE, ["200000 values"]),
        (REFERENCES + "job: {script: !reference [.a8, script]}", ["200000 values"]),
        (MERGES, ["more than 10000 keys come by <<"]),
        (EXTENDS + "job: {script: [x], extends: .a8}", ["200000 values"]),
        ("a: &a [*a]", ["an alias in it stands for itself"]),
        ("a: &a {b: *a}\njob: {script: [x]}", ["an alias in it stands for itself"]),
        ("a: " + "[" * 5000, ["nested"]),
        ("a: " + "[" * 150 + "]" * 150, ["nested more than 100 levels"]),
        ("job: {script: [x], parallel: 1000000000}", ["1 to 200 jobs"]),
        (
            "job: {script: [x], parallel: {matrix: [{"
            + ", ".join(f"A{n}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(20))
            + "}]}}",
            ["1 to 200 jobs"],
        ),
    ],
    ids=[
        "aliases",
        "references",
        "merges",
        "extends",
        "self",
        "selves",
        "open",
        "deep",
        "many",
        "matrix",
    ],
)
def test_a_file_that_stands_for_more_than_anybody_waits_for(text: str, words: list[str]) -> None:
    """It is refused, and takes neither the memory nor the time of what it stands for."""
    shown = limited(
        """
import sys
from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
try:
    parse_pipeline(sys.stdin.read(), "ci.yml")
except PipelineError as error:
    print(error)
""",
        text,
    )

    assert shown.startswith("ci.yml: ")
    assert len(shown) < 1000
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "X: 2020-99-99",
            ["line 1, column 4", '"2020-99-99" is not a value of the type timestamp'],
        ),
        ("a: b\nX: !!int x", ["line 2, column 4", '"x" is not a value of the type int']),
        ("X: !!timestamp x", ["line 1", "timestamp"]),
        ("X: !!bool x", ["line 1", "bool"]),
        ("X: !!float x", ["line 1", "float"]),
        ('X: "\\ud800"', ["line 1, column 4", "lone surrogate"]),
        ('X: "a\\0b"', ["line 1, column 4", "NUL"]),
        ('"a\\0b": {script: [x]}', ["line 1, column 1", "NUL"]),
        ("X: " + "9" * 5000, ["line 1", "too long"]),
        ("X: 99999999999999999999", ["line 1", "too large"]),
        ("X: 0x" + "f" * 90, ["line 1", "too large"]),
        ("X: 0x" + "f" * 5000, ["line 1", "too long"]),
        ("? [a]\n: b", ["line 1"]),
        ("? {a: b}\n: b", ["line 1"]),
        ("X: {<<: 1}", ["line 1", "<<"]),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_a_value_that_is_none_is_named_with_its_line(text: str, words: list[str]) -> None:
    """The library raises whatever Python's own constructors do."""
    assert_mistake(lambda: parse_pipeline(text, "ci.yml"), ["ci.yml: ", *words])


def test_keys_twice_in_a_mapping_are_told() -> None:
    """The last one counts, as in GitLab, which says nothing of the first."""
    pipeline = parse_pipeline(
        """
.base: &base {image: a, tags: [x]}
job:
  <<: *base
  image: b
  script: [first]
  script: [second]
""",
        "ci.yml",
    )

    assert pipeline.jobs[0].script == ("second",)
    assert pipeline.warnings == (
        'ci.yml: line 7: the key "script" stands in its mapping twice; the last one counts',
    )
