"""Reads pieces of a pipeline file, right ones and wrong ones."""

from collections.abc import Callable, Sequence

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import JobDefinition, Pipeline
from executor.local.pipeline.selection import select_jobs


def job(text: str, others: str = "") -> JobDefinition:
    """Return the job that these keywords describe."""
    return parse_pipeline(f"job: {{script: [x], {text}}}\n{others}", "ci.yml").jobs[0]


def assert_mistake(read: Callable[[], object], words: Sequence[str]) -> None:
    """Assert that reading, or else choosing what was read, fails with one line with these words."""
    with pytest.raises(PipelineError) as caught:
        _choose(read())
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def _choose(found: object) -> None:
    """Choose all jobs: a keyword that is not supported refuses a job when it is to run."""
    if isinstance(found, Pipeline):
        select_jobs(found, predefined={}, given={})
    elif isinstance(found, JobDefinition) and found.refusal:
        raise PipelineError(found.refusal)
