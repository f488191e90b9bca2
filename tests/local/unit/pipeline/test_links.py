"""What jobs say about each other."""

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import (
    JobDefinition,
)


def job(text: str, others: str = "") -> JobDefinition:
    """Return the job that these keywords describe."""
    return parse_pipeline(f"job: {{script: [x], {text}}}\n{others}", "ci.yml").jobs[0]


EARLY = "early: {script: [x], stage: build}"


LATE = "late: {script: [x], stage: deploy}"


@pytest.mark.parametrize(
    ("text", "others", "words"),
    [
        ("needs: [absent]", "", [":needs", '"absent"']),
        ("needs: [late]", LATE, [":needs", '"late"', "earlier"]),
        ("needs: [job]", "", ["job > job"]),
        ("needs: [other]", "other: {script: [x], needs: [job]}", ["job > other > job"]),
        ("dependencies: [absent]", "", [":dependencies", '"absent"']),
        ("dependencies: [late]", LATE, [":dependencies", "earlier"]),
        ("dependencies: [early], needs: []", EARLY, [":dependencies", "needs"]),
        ("environment: {name: a, on_stop: absent}", "", [":environment:on_stop", '"absent"']),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, others: str, words: list[str]) -> None:
    """The sentence has the place and what is wrong there."""
    with pytest.raises(PipelineError) as caught:
        job(text, others)
    for word in ['ci.yml: job "', *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
