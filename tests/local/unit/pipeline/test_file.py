"""Pipeline files: what is read, and how mistakes are told."""

from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.pipeline.file import load_pipeline, parse_pipeline
from executor.local.pipeline.model import (
    Artifacts,
    Environment,
    Image,
    YamlVariable,
)
from executor.local.pipeline.rules import Rule
from tests.local.unit.pipeline.reading import assert_mistake


def test_a_job_takes_what_default_says_and_overrides_it() -> None:
    """Keywords of the job replace those under default: as a whole."""
    pipeline = parse_pipeline(
        """
default:
  image: docker:20.10.16
  services: [docker:20.10.16-dind]
  before_script: [login]
stages: [build, test]
variables: {A: one}
build:
  stage: build
  script: [make]
other:
  image: {name: other, entrypoint: [""], pull_policy: always, docker: {user: 1000}}
  services: []
  before_script: []
  variables: {B: {value: $A, expand: false}, C: 3, D: true}
  script: make
  after_script: [[nested, [deeper]], flat]
  tags: [any]
  environment: {name: production, url: https://example.com}
  allow_failure: true
  artifacts: {paths: [out], expire_in: 1 day}
  rules: [{if: $A == "one"}, {when: never}]
""",
        "ci.yml",
    )
    build, other = pipeline.jobs
    assert (".pre", "build", "test", ".post") == pipeline.stages
    assert (YamlVariable("A", "one"),) == pipeline.variables
    assert Image("docker:20.10.16") == build.image
    assert (Image("docker:20.10.16-dind"),) == build.services
    assert ("login",) == build.before_script
    image = Image("other", entrypoint=("",), pull_policy=("always",), user="1000")
    assert image == other.image
    assert () == other.services
    assert () == other.before_script
    assert ("nested", "deeper", "flat") == other.after_script
    assert ("make",) == other.script
    assert other.variables == (
        YamlVariable("B", "$A", raw=True),
        YamlVariable("C", "3"),
        YamlVariable("D", "true"),
    )
    assert other.rules == (Rule('$A == "one"'), Rule(when="never"))
    assert other.artifacts == Artifacts(paths=("out",), expire_in="1 day")
    assert other.environment == Environment("production", url="https://example.com")
    assert other.allow_failure
    assert other.ci_stage == "test"


def test_hidden_jobs_and_anchors_serve_as_templates() -> None:
    """A name with a leading dot is no job; YAML's own merging works."""
    pipeline = parse_pipeline(
        ".base: &base\n  script: [x]\njob:\n  <<: *base\n  allow_failure: true\n", "ci.yml"
    )
    assert ["job"] == [job.name for job in pipeline.jobs]
    assert ("x",) == pipeline.jobs[0].script


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("job: {script: [x], secrets: {}}", ['job "job"', '"secrets"']),
        ("job: {script: [x], artifacts: {reports: {other: a}}}", [":reports", '"other"']),
        ("job: {trigger: other/project}", ['job "job"', '"trigger"']),
        ("job: {script: [x], stage: nowhere}", ['"nowhere"', "build, test, deploy"]),
        ("job: {image: x}", ['job "job"', '"script"']),
        ("job: {script: []}", ['"script"']),
        ("job: text", ['job "job"', "a mapping"]),
        ("include: other.yml\njob: {script: [x]}", ["include"]),
        ("workflow: {steps: 1}\njob: {script: [x]}", ["workflow", '"steps"']),
        ("default: {hooks: {}}\njob: {script: [x]}", ['job "job"', '"hooks"']),
        ("image: a\ndefault: {image: b}\njob: {script: [x]}", ["image", "default"]),
        ("stages: [build]", ["no job"]),
        ("", ["a mapping"]),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the file, the place and what is wrong there."""
    assert_mistake(lambda: parse_pipeline(text, "some/ci.yml"), ["some/ci.yml: ", *words])


def test_a_missing_file_is_told_with_the_option_that_names_another(tmp_path: Path) -> None:
    """The error names --file as the remedy."""
    with pytest.raises(LocalError, match=r"none\.yml: no such pipeline file.*--file"):
        load_pipeline(tmp_path / "none.yml")


def test_defaults_reach_jobs_that_say_nothing() -> None:
    """cache, retry and timeout may stand under default:, cache at the top, too."""
    pipeline = parse_pipeline(
        """
default: {retry: 1, timeout: 10 minutes}
cache: {paths: [a]}
one: {script: [x]}
two: {script: [x], cache: [], timeout: 1h, retry: 0}
""",
        "ci.yml",
    )
    one, two = pipeline.jobs
    assert (one.retry.limit, one.timeout_seconds, len(one.caches)) == (1, 600, 1)
    assert (two.retry.limit, two.timeout_seconds, len(two.caches)) == (0, 3600, 0)
