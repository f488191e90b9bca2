"""One job of a file: what it inherits, and what refuses it."""

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import YamlVariable
from executor.local.pipeline.selection import select_jobs, taken_over
from tests.local.unit.pipeline.reading import job


def test_a_job_inherits_what_it_lists() -> None:
    """Keywords of default: and global variables, all of them, some or none."""
    pipeline = parse_pipeline(
        """
default: {image: a, retry: 2}
variables: {ONE: "1", TWO: "2"}
all: {script: [x]}
some: {script: [x], inherit: {default: [image], variables: [TWO]}}
none: {script: [x], inherit: {default: false, variables: false}}
""",
        "ci.yml",
    )
    found = [
        (found.image is not None, found.retry.limit, taken_over(found, pipeline.variables))
        for found in pipeline.jobs
    ]
    one, two = YamlVariable("ONE", "1"), YamlVariable("TWO", "2")
    assert found == [(True, 2, (one, two)), (True, 0, (two,)), (False, 0, ())]


def test_what_only_gitlab_needs_refuses_nothing() -> None:
    """A job with it is read like one without."""
    read = job("interruptible: true, resource_group: a, coverage: /x/, start_in: 1 day")
    assert read == job("tags: [a]")


def test_an_unsupported_keyword_refuses_its_job_alone() -> None:
    """Its rules still say whether the job is in the pipeline."""
    text = "a: {script: [x], release: {}, rules: [{if: $A}]}\nb: {script: [x], needs: []}"
    pipeline = parse_pipeline(text, "ci.yml")
    assert 'ci.yml: job "a": keyword "release"' in pipeline.jobs[0].refusal
    assert [
        [found.name for found in jobs] for jobs in select_jobs(pipeline, predefined={}, given={})
    ] == [["b"]]


def test_a_job_that_waits_for_a_person_may_fail() -> None:
    """Unless it says otherwise."""
    assert job("when: manual").allow_failure
    assert not job("when: manual, allow_failure: false").allow_failure
