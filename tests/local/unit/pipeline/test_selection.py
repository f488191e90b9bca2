"""Which jobs of a pipeline run."""

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.selection import select_jobs, with_cache_keys

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


def test_a_need_that_its_rules_exclude_must_be_optional() -> None:
    """GitLab would not make a pipeline with such a need."""
    text = "a: {script: [x], rules: [{when: never}]}\nb: {script: [x], needs: [%s]}"
    optional = parse_pipeline(text % "{job: a, optional: true}", "ci.yml")
    ((job,),) = select_jobs(optional, predefined={}, given={})
    assert job.name == "b"
    needed = parse_pipeline(text % "a", "ci.yml")
    with pytest.raises(PipelineError, match='job "b" needs "a", but the rules'):
        select_jobs(needed, predefined={}, given={})


def test_a_cache_key_of_files_names_their_last_commits() -> None:
    """The key is a digest of the commits as GitLab makes it, or the default without any."""
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
