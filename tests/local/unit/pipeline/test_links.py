"""What jobs say about each other."""

import pytest

from tests.local.unit.pipeline.reading import assert_mistake, job

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
    assert_mistake(lambda: job(text, others), ['ci.yml: job "', *words])
