"""Files of the project that a pipeline file includes."""

import pytest

from executor.local.errors import PipelineError
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
