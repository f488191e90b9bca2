"""YAML and !reference."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import YamlVariable
from executor.local.pipeline.rules import Rule
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
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the file, the place and what is wrong there."""
    assert_mistake(lambda: parse_pipeline(text, "some/ci.yml"), ["some/ci.yml: ", *words])
