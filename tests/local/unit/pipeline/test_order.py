"""Which job waits for which, and which failures are worth another try."""

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Retry
from executor.local.pipeline.order import Planned, planned_jobs
from executor.local.pipeline.selection import select_jobs, with_cache_keys
from executor.local.runner.outcome import Outcome, Result, is_worth_retrying

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
    """And gets artifacts from those, or from the dependencies among them."""
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


def test_a_need_that_its_rules_exclude_must_be_optional() -> None:
    """GitLab would not make such a pipeline."""
    text = "a: {script: [x], rules: [{when: never}]}\nb: {script: [x], needs: [%s]}"
    assert list(plan_of(text % "{job: a, optional: true}")) == ["b"]
    with pytest.raises(PipelineError, match='job "b" needs "a", but the rules'):
        plan_of(text % "a")


def test_a_cache_key_of_files_names_their_last_commits() -> None:
    """As GitLab makes it; without such a commit it is the default."""
    pipeline = parse_pipeline(
        """
a:
  script: [x]
  cache: [{key: {files: [known], prefix: p}}, {key: {files: [unknown]}}, {key: plain}]
""",
        "ci.yml",
    )
    selected = select_jobs(pipeline, predefined={}, given={})
    commits: dict[tuple[str, ...], tuple[str, ...]] = {("known",): ("1" * 40, "2" * 40)}
    ((job,),) = with_cache_keys(selected, lambda names: commits.get(names, ()))
    digest = "2ee50e071df39727974b4559096338460e0ef111"
    assert [cache.key for cache in job.caches] == [f"p-{digest}", "default", "plain"]


@pytest.mark.parametrize(
    ("retry", "result", "exit_code", "expected"),
    [
        (Retry(1, ("always",)), Result.FAILED, 1, True),
        (Retry(1, ("always",)), Result.CANCELED, 0, False),
        (Retry(1, ("always",)), Result.SUCCESS, 0, False),
        (Retry(1, ("script_failure",)), Result.FAILED, 1, True),
        (Retry(1, ("script_failure",)), Result.SYSTEM_FAILURE, 0, False),
        (Retry(1, ("runner_system_failure",)), Result.SYSTEM_FAILURE, 0, True),
        (Retry(1, ("job_execution_timeout",)), Result.TIMED_OUT, 0, True),
        (Retry(1, (), (42,)), Result.FAILED, 42, True),
        (Retry(1, (), (42,)), Result.FAILED, 1, False),
        (Retry(1, ("runner_system_failure",), (42,)), Result.SYSTEM_FAILURE, 0, True),
    ],
)
def test_a_failure_is_worth_another_try_by_its_reason_or_exit_code(
    retry: Retry,
    result: Result,
    exit_code: int,
    expected: object,
) -> None:
    """A cancelled job never is."""
    assert is_worth_retrying(retry, Outcome("job", result, exit_code=exit_code)) is expected
