"""The values of keywords that several places share."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Image, YamlVariable
from tests.local.unit.pipeline.reading import assert_mistake


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("job: {script: [x], image: {name: a, ports: [1]}}", ['job "job":image', '"ports"']),
        ("job: {script: [x], services: [{name: a, port: 1}]}", [":services:0", '"port"']),
        ("job: {script: [x], rules: [{needs: [a]}]}", [":rules:0", '"needs"']),
        ("job: {script: [x], rules: [{if: $A = 1}]}", [":rules:0:if", "$A = 1"]),
        ("job: {script: [x], rules: [{when: later}]}", ["later"]),
        ("job: {script: [{a: b}]}", [":script", "quote"]),
        ("job: {script: [x], image: {entrypoint: [a]}}", [":image:name"]),
        ("job: {script: [x], image: {name: a, pull_policy: often}}", ["often"]),
        ("job: {script: [x], variables: {A: [1]}}", [":variables:A"]),
        ("job: {script: [x], variables: {A: {value: b, description: c}}}", ['"description"']),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, words: list[str]) -> None:
    """The sentence has the file, the place and what is wrong there."""
    assert_mistake(lambda: parse_pipeline(text, "some/ci.yml"), ["some/ci.yml: ", *words])
