"""The page's pipelines through a real gitlab-runner, whole and with what authors forget."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from tests import pipelines
from tests.gitlab import trace
from tests.gitlab.pipelines import Pushed

# Backwards: a share of them is not the share of tests/local/test_pages.py.
CASES = [*pipelines.cases(), *((name, ()) for name in pipelines.OTHERS)][::-1]
JOBS = {"four-stages": ["build", "test1", "test2", "release-image", "deploy"]}


@pytest.mark.family(3)
@pytest.mark.parametrize(
    ("name", "left_out"), CASES, ids=["-without-".join((name, *parts)) for name, parts in CASES]
)
def test_a_pipeline_passes_at_the_first_try(
    pushed: Pushed, name: str, left_out: tuple[str, ...]
) -> None:
    """Every job of the pipeline succeeds, whichever optional part the author left out."""
    jobs = pushed.run(parse_pipeline(pipelines.text(name, *left_out), name))
    log = "\n".join(trace.plain(job.trace) for job in jobs.values())
    states = {job: ended.state for job, ended in jobs.items()}
    assert states == dict.fromkeys(JOBS.get(name, ["build"]), "success"), log
    assert "Preparation failed" not in log
