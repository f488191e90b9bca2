"""Which job waits for which."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.order import Planned, planned_jobs
from executor.local.pipeline.selection import select_jobs

PIPELINE = """
stages: [one, two, three]
a: {stage: one, script: [x]}
b: {stage: one, script: [x]}
c: {stage: two, script: [x]}
d: {stage: two, script: [x], needs: [a]}
e: {stage: three, script: [x], dependencies: [a]}
f: {stage: three, script: [x], needs: [{job: c, artifacts: false}, d]}
g: {stage: three, script: [x], needs: []}
h: {stage: two, script: [x], needs: [d, {job: absent, optional: true}], dependencies: []}
"""


def plan_of(text: str, *names: str) -> dict[str, Planned]:
    pipeline = parse_pipeline(text, "ci.yml")
    plan = planned_jobs(select_jobs(pipeline, predefined={}, given={}, names=names))
    return {planned.definition.name: planned for planned in plan}


@pytest.mark.parametrize(
    ("name", "waits_for", "artifacts_from"),
    [
        ("a", "", ""),
        ("c", "ab", "ab"),
        ("d", "a", "a"),
        ("e", "abcdh", "a"),
        ("f", "cd", "d"),
        ("g", "", ""),
        ("h", "d", ""),
    ],
)
def test_a_job_waits_for_its_needs_or_for_earlier_stages(
    name: str, waits_for: str, artifacts_from: str
) -> None:
    """The job gets artifacts from those, or from the dependencies among them."""
    planned = plan_of(PIPELINE)[name]
    assert "".join(planned.waits_for) == waits_for
    assert "".join(planned.artifacts_from) == artifacts_from


@pytest.mark.parametrize(
    ("name", "beside"), [("a", "bg"), ("b", "adgh"), ("c", "dhg"), ("e", "fg"), ("g", "abcdhef")]
)
def test_jobs_run_beside_what_is_neither_before_nor_after(name: str, beside: str) -> None:
    """Their lines carry names then."""
    plan = plan_of(PIPELINE)
    assert sorted(plan[name].beside) == sorted(beside)


def test_jobs_that_were_not_asked_for_are_not_waited_for() -> None:
    """A named job runs without what it needs, as without earlier stages."""
    plan = plan_of(PIPELINE, "f", "d")
    assert plan["d"].waits_for == ()
    assert plan["f"].waits_for == ("d",)
