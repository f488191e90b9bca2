"""Cancels, by a click in GitLab and by the end of gitlab-runner itself."""

from pathlib import Path

from executor.local.checkout import Checkout
from executor.local.pipeline_file import parse_pipeline
from tests.gitlab import leftovers, runner, trace
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.rig.state import Rig

# The runner hears of a cancel only when it has something to say, so the script speaks.
ENDLESS = """
job:
  image: docker:20.10.16
  script:
    - sleep 98765 &
    - docker run -d --name left-running alpine sleep 54321
    - echo half of it >kept
    - while true; do echo tick; sleep 1; done
  after_script:
    - echo "the status is $CI_JOB_STATUS"
    - cat /proc/[0-9]*/cmdline | tr '\\0' ' '
    - docker ps
  artifacts: {paths: [kept], when: always}
"""


def test_a_cancel_stops_the_script_and_nothing_else(pushed: Pushed) -> None:
    job = pushed.start_only(parse_pipeline(ENDLESS, "test"))
    job.wait_for("\ntick")
    job.cancel()
    job.wait()
    before, _, after = trace.plain(job.trace).partition("Running after_script")
    assert "sleep 98765" in before
    assert (job.state, job.failure_reason) == ("failed", "job_canceled")
    assert "the status is canceled" in after.splitlines(), before + after
    assert "sleep 98765" not in after
    assert "sleep 1" not in after
    # The daemon, and what the author left to it, is still there for the after_script.
    assert "left-running" in after
    assert job.artifacts is not None


def test_a_cancel_without_patience_leaves_nothing(pushed: Pushed) -> None:
    job = pushed.start_only(parse_pipeline(ENDLESS, "test"))
    job.wait_for("\ntick")
    job.force_cancel()
    job.wait()
    assert "Running after_script" not in trace.plain(job.trace)


def test_a_runner_that_ends_cleans_up_first(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> None:
    pushed = Pushed(another_gitlab, checkout)
    with runner.working(another_gitlab, runner.custom(rig.settings), tmp_path / "runner"):
        job = pushed.start_only(parse_pipeline(ENDLESS, "test"))
        job.wait_for("\ntick")
        assert leftovers.of_jobs(rig.engine_host, [job]) != []
    assert leftovers.of_jobs(rig.engine_host, [job]) == []
    assert job.wait(10).state == "failed"
