"""Jobs that are cancelled: by Ctrl-C, by a time limit, by the terminal's end."""

import os
import signal

import pytest

from tests.local.calls import CALLS, PLAIN, wait_for
from tests.local.conftest import Workbench
from tests.patience import LONGEST_SECONDS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_stops_the_script_and_lets_the_rest_run(
    bench: Workbench, number: signal.Signals
) -> None:
    """after_script, failed artifacts and cleanup follow, as after a cancel in GitLab."""
    marker = bench.directory / "started"
    bench.pipeline(
        f"""
job:
  script: ["touch {marker}", "sleep 600"]
  after_script: ["echo after $CI_JOB_STATUS"]
  artifacts: {{paths: [README.md], when: always}}
next: {{stage: deploy, script: [x]}}
"""
    )
    process = bench.start()
    wait_for(marker)
    process.send_signal(number)
    done = bench.finish(process)
    assert done.names == [
        *CALLS[:5],
        "after_script",
        "upload_artifacts_on_failure",
        *CALLS[5:],
    ]
    assert done.exit_code == 1
    assert "script canceled externally" in done.stdout
    assert "after canceled\n" in done.stdout
    assert "job   canceled" in done.stdout
    assert "next  canceled" in done.stdout


def test_ctrl_c_again_leaves_only_cleanup(bench: Workbench) -> None:
    """The second time stops what runs, and nothing but cleanup starts."""
    first, second = bench.directory / "first", bench.directory / "second"
    bench.pipeline(
        f"""
job:
  script: ["touch {first}", "sleep 600"]
  after_script: ["touch {second}", "sleep 600", "echo not reached"]
"""
    )
    process = bench.start()
    wait_for(first)
    process.send_signal(signal.SIGINT)
    wait_for(second)
    process.send_signal(signal.SIGINT)
    done = bench.finish(process)
    assert done.names == [*CALLS[:5], "after_script", "cleanup"]
    assert done.exit_code == 1
    assert "\nnot reached" not in done.stdout


@pytest.mark.parametrize("stage", ["config", "prepare", "get_sources"])
def test_ctrl_c_before_the_script_ends_the_job(bench: Workbench, stage: str) -> None:
    """Prepare is not tried again, no further sub-stage runs."""
    bench.behave(**{stage: [{"sleep": 600}]})
    bench.pipeline(PLAIN)
    process = bench.start()
    bench.wait_for_call(stage)
    process.send_signal(signal.SIGINT)
    done = bench.finish(process)
    assert done.names == [*CALLS[: CALLS.index(stage) + 1], "cleanup"]
    assert done.exit_code == 1
    assert "ERROR: Job failed: canceled" in done.stdout


def test_a_hook_that_ignores_sigterm_is_killed(bench: Workbench) -> None:
    """The registration's graceful_kill_timeout is how long it may go on."""
    bench.configure(custom="graceful_kill_timeout = 1")
    bench.behave(build_script=[{"ignore_sigterm": True, "sleep": 600}])
    bench.pipeline(PLAIN)
    process = bench.start()
    bench.wait_for_call("build_script")
    process.send_signal(signal.SIGTERM)
    done = bench.finish(process)
    assert done.names == CALLS
    assert done.exit_code == 1


def test_a_job_has_a_time_limit(bench: Workbench) -> None:
    """After the time limit cleanup follows, and no after_script."""
    marker = bench.directory / "started"
    bench.count_from(marker)
    bench.pipeline(
        f'job: {{script: ["touch {marker}", "sleep 600"], after_script: ["echo after"]}}'
    )
    done = bench.run("--timeout", "1s")
    assert done.names == [*CALLS[:5], "cleanup"]
    assert done.exit_code == 1
    assert "execution took longer than 1s seconds" in done.stdout
    assert "job  timed out" in done.stdout


def test_a_terminal_that_goes_away_leaves_nothing_undone(bench: Workbench) -> None:
    """The jobs are cancelled and cleaned up, though nobody sees it."""
    marker, after = bench.directory / "started", bench.directory / "after"
    bench.pipeline(
        f'job: {{script: ["touch {marker}", "sleep 600"], after_script: ["touch {after}"]}}'
    )
    ours, theirs = os.openpty()
    process = bench.start_on(theirs)
    os.close(theirs)
    wait_for(marker)
    os.close(ours)
    assert process.wait(LONGEST_SECONDS) == 1
    assert [call["name"] for call in bench.calls()] == [*CALLS[:5], "after_script", *CALLS[5:]]
    assert after.exists()
