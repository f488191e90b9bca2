"""Pipeline files: what is read, and how mistakes are told."""

from pathlib import Path

import pytest

from executor.local.errors import LocalError, PipelineError
from executor.local.pipeline.file import load_pipeline, parse_pipeline
from executor.local.pipeline.model import Artifacts, Environment, Image, YamlVariable
from executor.local.pipeline.rules import Rule
from executor.local.pipeline.selection import select_jobs


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


def test_a_service_has_all_its_settings() -> None:
    """The long form of a service is read whole."""
    pipeline = parse_pipeline(
        """
job:
  services:
    - name: $R/docker:dind
      alias: docker,dind
      command: [--tls=false]
      entrypoint: [dockerd-entrypoint.sh]
      variables: {X: y}
      pull_policy: [always, if-not-present]
  script: [x]
""",
        "ci.yml",
    )
    expected = Image(
        "$R/docker:dind",
        alias="docker,dind",
        command=("--tls=false",),
        entrypoint=("dockerd-entrypoint.sh",),
        variables=(YamlVariable("X", "y"),),
        pull_policy=("always", "if-not-present"),
    )
    assert (expected,) == pipeline.jobs[0].services


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
        ("job: {script: [x], when: manual}", ['job "job"', '"when"']),
        ("job: {script: [x], image: {name: a, ports: [1]}}", ['job "job":image', '"ports"']),
        ("job: {script: [x], services: [{name: a, port: 1}]}", [":services:0", '"port"']),
        ("job: {script: [x], rules: [{changes: [a]}]}", [":rules:0", '"changes"']),
        ("job: {script: [x], rules: [{if: $A = 1}]}", [":rules:0:if", "$A = 1"]),
        ("job: {script: [x], rules: [{when: manual}]}", ["manual"]),
        ("job: {script: [x], artifacts: {reports: {dotenv: a}}}", [":reports", '"dotenv"']),
        ("job: {script: [x], stage: nowhere}", ['"nowhere"', "build, test, deploy"]),
        ("job: {script: [{a: b}]}", [":script", "quote"]),
        ("job: {image: x}", ['job "job"', '"script"']),
        ("job: {script: []}", ['"script"']),
        ("job: text", ['job "job"', "a mapping"]),
        ("job: {script: [x], image: {entrypoint: [a]}}", [":image:name"]),
        ("job: {script: [x], image: {name: a, pull_policy: often}}", ["often"]),
        ("job: {script: [x], variables: {A: [1]}}", [":variables:A"]),
        ("job: {script: [x], variables: {A: {value: b, description: c}}}", ['"description"']),
        ("include: other.yml\njob: {script: [x]}", ["include"]),
        ("workflow: {}\njob: {script: [x]}", ["workflow"]),
        ("default: {hooks: {}}\njob: {script: [x]}", ["default", '"hooks"']),
        ("image: a\ndefault: {image: b}\njob: {script: [x]}", ["image", "default"]),
        ("stages: [build]", ["no job"]),
        ("", ["a mapping"]),
        ("job: [", ["line 1"]),
        ("spec: {inputs: {}}\n---\njob: {script: [x]}", ["`spec:` is not supported", "GitLab"]),
        ("spec: {}\njob: {script: [x]}", ["spec", "not supported"]),
        ("job: {script: [!reference [a, b]]}", ["!reference"]),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the file, the place and what is wrong there."""
    with pytest.raises(PipelineError) as caught:
        parse_pipeline(text, "some/ci.yml")
    for word in ["some/ci.yml: ", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told_with_the_option_that_names_another(tmp_path: Path) -> None:
    """The remedy is --file."""
    with pytest.raises(LocalError, match=r"none\.yml: no such pipeline file.*--file"):
        load_pipeline(tmp_path / "none.yml")


PIPELINE = """
stages: [one, two]
variables: {CHOICE: file}
b: {stage: two, script: [x]}
a: {stage: one, script: [x], rules: [{if: $CI_COMMIT_BRANCH == "main"}]}
c: {stage: one, script: [x], variables: {CHOICE: job}, rules: [{if: $CHOICE == "job"}]}
d: {stage: .pre, script: [x], rules: [{if: $CHOICE == "given"}]}
"""


@pytest.mark.parametrize(
    ("branch", "given", "names", "expected"),
    [
        ("main", {}, (), [["a", "c"], ["b"]]),
        ("dev", {}, (), [["c"], ["b"]]),
        ("main", {"CHOICE": "given"}, (), [["d"], ["a"], ["b"]]),
        ("main", {}, ("b", "c"), [["c"], ["b"]]),
    ],
)
def test_jobs_run_by_stage_as_their_rules_admit(
    branch: str, given: dict[str, str], names: tuple[str, ...], expected: list[list[str]]
) -> None:
    """Given variables beat the file's, the job's beat the global ones."""
    pipeline = parse_pipeline(PIPELINE, "ci.yml")
    stages = select_jobs(
        pipeline, predefined={"CI_COMMIT_BRANCH": branch}, given=given, names=names
    )
    assert expected == [[job.name for job in jobs] for jobs in stages]


@pytest.mark.parametrize(
    ("name", "words"), [("z", ['"z"', "b, a, c, d"]), ("a", ['"a"', '"dev"', "--branch"])]
)
def test_a_job_that_cannot_be_chosen_is_named(name: str, words: list[str]) -> None:
    """Neither an unknown job nor one that the rules exclude is passed over in silence."""
    pipeline = parse_pipeline(PIPELINE, "ci.yml")
    with pytest.raises(PipelineError) as caught:
        select_jobs(pipeline, predefined={"CI_COMMIT_BRANCH": "dev"}, given={}, names=(name,))
    for word in words:
        assert word in str(caught.value)
