"""Cancels, by a click in GitLab and by the end of gitlab-runner itself."""

from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
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
    - touch /tmp/of-the-script
    - trap 'echo Caught SIGTERM; exit 1' TERM
    - while true; do echo tick; sleep 1s; done
  after_script:
    - echo "the status is $CI_JOB_STATUS"
    - '{ cat /proc/[0-9]*/cmdline || true; } | tr "\\0" " "' # one may end meanwhile
    - docker ps -a --format '{{.Names}} {{.State}}'
    - test ! -e /tmp/of-the-script && echo a clean container
  artifacts: {paths: [kept], when: always}
"""


def test_a_cancel_stops_the_script_and_nothing_else(pushed: Pushed) -> None:
    """The script and its children end; after_script, dind and the artifacts are still there."""
    job = pushed.start_only(parse_pipeline(ENDLESS, "test"))
    job.wait_for("\ntick")
    job.cancel()
    job.wait()
    before, _, after = trace.plain(job.trace).partition("Running after_script")
    assert "sleep 98765" in before
    assert "Caught SIGTERM" in before.splitlines()
    # A shell that is told to end may print what it was doing, with every variable in it.
    assert "export CI_" not in before
    assert (job.state, job.failure_reason) == ("failed", "job_canceled")
    assert "the status is canceled" in after.splitlines(), before + after
    assert "sleep 98765" not in after
    assert "sleep 1s" not in after
    # The daemon is still there for the after_script; what ran in it has ended.
    assert "left-running exited" in after.splitlines()
    assert "a clean container" in after.splitlines()
    assert job.artifacts is not None


def test_a_script_that_takes_too_long_is_stopped_like_a_cancelled_one(pushed: Pushed) -> None:
    """The script is stopped also where it is the child of an init."""
    variables = '{RUNNER_SCRIPT_TIMEOUT: 20s, FF_USE_INIT_WITH_DOCKER_EXECUTOR: "true"}'
    text = ENDLESS.replace("script:", f"variables: {variables}\n  script:", 1)
    job = pushed.start_only(parse_pipeline(text, "test")).wait()
    before, _, after = trace.plain(job.trace).partition("Running after_script")
    assert (job.state, job.failure_reason) == ("failed", "job_execution_timeout"), before + after
    assert "Caught SIGTERM" in before.splitlines()
    assert "the status is timedout" in after.splitlines()
    assert "docker-init" in after
    assert "left-running exited" in after.splitlines()
    assert "a clean container" in after.splitlines()
    assert job.artifacts is not None


def test_a_cancel_without_patience_leaves_nothing(pushed: Pushed) -> None:
    """The scripts are bash's here, which may tell of a signal with the text of what got it."""
    text = ENDLESS.replace("docker:20.10.16", "$TOOLS_REGISTRY/tools/docker-cli:1")
    variables = '{FF_USE_NATIVE_CONTAINER_STOP: "true"}'
    text = text.replace("script:", f"variables: {variables}\n  script:", 1)
    job = pushed.start_only(parse_pipeline(text, "test"))
    job.wait_for("\ntick")
    job.force_cancel()
    job.wait()
    log = trace.plain(job.trace)
    assert "Caught SIGTERM" in log.splitlines()
    assert "export CI_" not in log
    assert "Running after_script" not in log


def test_a_runner_that_ends_cleans_up_first(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> None:
    """A gitlab-runner that is told to quit fails its job and leaves no object behind."""
    pushed = Pushed(another_gitlab, checkout)
    with runner.working(another_gitlab, runner.custom(rig.settings), tmp_path / "runner"):
        job = pushed.start_only(parse_pipeline(ENDLESS, "test"))
        job.wait_for("\ntick")
        assert leftovers.of_jobs(rig.engine_host, [job]) != []
    assert leftovers.of_jobs(rig.engine_host, [job]) == []
    assert job.wait().state == "failed"
    assert "Running after_script" not in trace.plain(job.trace)
