"""Reads pieces of a pipeline file, right ones and wrong ones."""

from collections.abc import Callable, Sequence

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import JobDefinition


def job(text: str, others: str = "") -> JobDefinition:
    """Return the job that these keywords describe."""
    return parse_pipeline(f"job: {{script: [x], {text}}}\n{others}", "ci.yml").jobs[0]


def assert_mistake(read: Callable[[], object], words: Sequence[str]) -> None:
    """Assert that reading fails with one line that has these words."""
    with pytest.raises(PipelineError) as caught:
        read()
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
