"""Files of the project that a pipeline file includes."""

import os
from pathlib import Path

import pytest

from executor.local.errors import LocalError, PipelineError
from executor.local.pipeline.file import load_pipeline, parse_pipeline
from executor.local.pipeline.includes import with_includes

FILES = {
    "a.yml": "include: b.yml\njob: {image: a, script: [a]}\n",
    "b.yml": "job: {image: b, stage: b}\nother: {script: [b]}\n",
    "self.yml": "include: self.yml\n",
}


def find(pattern: str) -> tuple[tuple[str, str], ...]:
    return ((pattern, FILES[pattern]),) if pattern in FILES else ()


@pytest.mark.parametrize("include", ["/a.yml", "[a.yml]", "{local: /a.yml}", "[{local: a.yml}]"])
def test_what_includes_wins_over_what_is_included(include: str) -> None:
    """Mappings are merged at any depth; an included file may include others."""
    whole = with_includes(f"include: {include}\njob: {{script: [own]}}", "ci.yml", find)
    assert whole == {
        "job": {"image": "a", "stage": "b", "script": ["own"]},
        "other": {"script": ["b"]},
    }


@pytest.mark.parametrize(
    ("include", "word"),
    [
        ("absent.yml", '"absent.yml"'),
        ("https://example.com/a.yml", '"remote"'),
        ("{template: A}", '"template"'),
        ("{project: a, file: b}", '"project"'),
        ("[{component: a}]", '"component"'),
        ("{local: a.yml, rules: []}", '"rules"'),
        ("self.yml", "deep"),
    ],
)
def test_what_cannot_be_included_is_named(include: str, word: str) -> None:
    """The sentence has the file and the keyword."""
    with pytest.raises(PipelineError, match=r"yml: include: ") as caught:
        with_includes(f"include: {include}", "ci.yml", find)
    assert word in str(caught.value)


@pytest.mark.parametrize("pattern", ["a**b.yml", "**/" * 30 + "*.yml", "**x/*.yml"])
def test_a_pattern_of_files_that_is_none(tmp_path: Path, pattern: str) -> None:
    """It is named, and no directory is looked at again and again."""
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    file = tmp_path / "ci.yml"
    file.write_text(f"include: '{pattern}'\njob: {{script: [x]}}")

    with pytest.raises(PipelineError, match=r"include: \"") as raised:
        load_pipeline(file, tmp_path)
    assert len(str(raised.value)) < 400


def test_more_files_than_may_be_included(tmp_path: Path) -> None:
    """As in GitLab, there are 150 at most; no more are read."""
    for number in range(200):
        (tmp_path / f"{number}.yml").write_text(".a: {}")
    file = tmp_path / "main"
    file.write_text("include: '*.yml'\njob: {script: [x]}")

    with pytest.raises(PipelineError, match="more than 150 files"):
        load_pipeline(file, tmp_path)


def test_a_file_that_never_ends(tmp_path: Path) -> None:
    """A checkout may bring a link to a device, or a pipe."""
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(2 * 1024 * 1024)

    for name, reason in (
        ("zero", "it is not a regular file"),
        ("pipe", "it is not a regular file"),
        ("large", "it is larger than 1 MiB"),
    ):
        with pytest.raises(LocalError, match=reason):
            load_pipeline(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 256 + ": {script: [x]}",
        "job: {script: [x], parallel: {matrix: [{A: [" + "a" * 300 + "]}]}}",
    ],
)
def test_a_job_with_a_name_of_any_length(text: str) -> None:
    """GitLab has 255 characters for it."""
    with pytest.raises(PipelineError, match="at most 255 characters") as raised:
        parse_pipeline(text, "ci.yml")
    assert len(str(raised.value)) < 500
