"""extends and !reference: what jobs take from elsewhere in the file."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Cache, YamlVariable
from tests.local.unit.pipeline.reading import assert_mistake

TEMPLATES = """
default: {image: plain}
.base:
  stage: build
  image: {name: base, entrypoint: [""]}
  variables: {A: base, B: base}
  script: [base]
  cache: {key: base, paths: [base]}
.middle:
  extends: .base
  variables: {B: middle, C: middle}
  before_script: [middle]
.other:
  script: [other]
  after_script: [other]
  variables: {A: other}
"""


def test_a_job_takes_what_its_parents_say_and_overrides_it() -> None:
    """Mappings are merged, lists are replaced, through several levels."""
    pipeline = parse_pipeline(
        f"""{TEMPLATES}
job:
  extends: .middle
  variables: {{C: job}}
  cache: {{key: job}}
""",
        "ci.yml",
    )
    (job,) = pipeline.jobs
    assert job.ci_stage == "build"
    assert job.image
    assert job.image.name == "base"
    assert job.before_script == ("middle",)
    assert job.script == ("base",)
    assert job.variables == (
        YamlVariable("A", "base"),
        YamlVariable("B", "middle"),
        YamlVariable("C", "job"),
    )
    assert job.caches == (Cache(key="job", paths=("base",)),)


def test_the_last_of_several_parents_wins() -> None:
    """A later parent in the list overrides an earlier one."""
    pipeline = parse_pipeline(f"{TEMPLATES}\njob: {{extends: [.middle, .other]}}", "ci.yml")
    (job,) = pipeline.jobs
    assert (job.script, job.after_script) == (("other",), ("other",))
    assert job.before_script == ("middle",)
    assert job.variables[0] == YamlVariable("A", "other")


def test_an_empty_entry_takes_away_what_a_parent_says() -> None:
    """A keyword without a value falls back to the default, and a variable goes."""
    pipeline = parse_pipeline(
        f"{TEMPLATES}\njob: {{extends: .base, image: null, variables: {{A: null}}}}", "ci.yml"
    )
    (job,) = pipeline.jobs
    assert job.image
    assert job.image.name == "plain"
    assert job.variables == (YamlVariable("B", "base"),)


def test_a_job_that_runs_may_be_extended_too() -> None:
    """The job and the one that extends it both run."""
    pipeline = parse_pipeline("one: {script: [x]}\ntwo: {extends: one, stage: deploy}", "ci.yml")
    assert [(job.name, job.script) for job in pipeline.jobs] == [("one", ("x",)), ("two", ("x",))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("job: {extends: .absent}", ['job "job":extends', '".absent"']),
        ("job: {extends: job, script: [x]}", ["job > job"]),
        (".a: {extends: .b}\n.b: {extends: .a}\njob: {extends: .a}", ["job > .a > .b > .a"]),
        ("job: {extends: {a: b}}", [":extends", "a list"]),
        (".a: [x]\njob: {extends: .a}", ['job ".a"', "a mapping"]),
        (".a: {release: {}}\njob: {extends: .a, script: [x]}", ['job "job"', '"release"']),
    ],
)
def test_a_mistake_is_named(text: str, words: list[str]) -> None:
    """The sentence has the file and what is wrong there."""
    assert_mistake(lambda: parse_pipeline(text, "ci.yml"), ["ci.yml: ", *words])
