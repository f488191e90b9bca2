"""Hooks and scripts that fail: what is tried again, and what still runs."""

import pytest

from tests.local.calls import CALLS, PLAIN
from tests.local.conftest import Workbench


def test_prepare_is_tried_three_times(bench: Workbench) -> None:
    """Cleanup follows each failed try in the same directory, and each try has its own."""
    bench.wait_little()
    bench.behave(prepare=[{"exit": 2}, {"exit": 77}, {"kill": True}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "prepare", "cleanup"] * 3
    assert done.exit_code == 2
    failed = [line for line in done.stdout.splitlines() if line.startswith("ERROR: ")]
    unknown = "unknown Custom executor executable exit code"
    assert failed == [
        "ERROR: Preparation failed: exit status 2",
        f"ERROR: Preparation failed: {unknown} 77",
        f"ERROR: Preparation failed: {unknown} -9",
        f"ERROR: Job failed (system failure): {unknown} -9",
    ]
    directories = [call["directory"] for call in done.calls]
    assert directories[0::3] == directories[1::3] == directories[2::3]
    assert len(set(directories)) == 3


def test_prepare_is_not_tried_again_if_the_author_is_at_fault(bench: Workbench) -> None:
    """The exit code for a failed build ends the job at once."""
    bench.behave(prepare=[{"exit": 1}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "prepare", "cleanup"]
    assert done.exit_code == 1
    assert "ERROR: Job failed: exit status 1\n" in done.stdout


def test_a_second_try_to_prepare_may_succeed(bench: Workbench) -> None:
    """The job goes on after a second try as after a first."""
    bench.behave(prepare=[{"exit": 2}, {}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.exit_code == 0
    assert done.names == ["config", "prepare", "cleanup", *CALLS]
    assert "ERROR: Preparation failed: exit status 2\nWill be retried in 3s ..." in done.stdout


def test_a_config_answer_that_is_no_json_is_a_system_failure(bench: Workbench) -> None:
    """Even an empty line fails the try, and the next try may answer better."""
    bench.wait_little()
    bench.behave(config=[{"stdout": "\n"}, {"stdout": "hello"}, {"stdout": "[]"}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "cleanup"] * 3
    assert done.stdout.count("Preparation failed: error while parsing JSON output") == 3
    assert done.exit_code == 2


def test_no_builds_directory_is_not_tried_again(bench: Workbench) -> None:
    """An empty builds_dir in the answer ends the job at once."""
    bench.behave(config=[{"stdout": '{"builds_dir": ""}'}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "cleanup"]
    assert "Job failed: the builds_dir is not configured" in done.stdout


@pytest.mark.family(2)
@pytest.mark.parametrize(
    ("behaviour", "exit_code", "words"),
    [
        ({}, 1, "ERROR: Job failed: exit status 42"),
        ({"exit": 1}, 1, "ERROR: Job failed: exit status 1"),
        ({"exit": 1, "exit_code_file": "7\nmore"}, 1, "ERROR: Job failed: exit status 7"),
        ({"exit": 1, "exit_code_file": "x"}, 2, "unknown Custom executor executable exit code 2"),
        ({"exit": 1, "exit_code_file": ""}, 2, "unknown Custom executor executable exit code 2"),
        ({"exit": 2}, 2, "ERROR: Job failed (system failure): exit status 2"),
        ({"exit": 3}, 2, "unknown Custom executor executable exit code 3"),
    ],
)
def test_a_failed_script_is_told_by_code_and_file(
    bench: Workbench, behaviour: dict[str, object], exit_code: int, words: str
) -> None:
    """The code and the file name the failure, and after_script and the rest still run."""
    bench.behave(build_script=[behaviour])
    bench.pipeline(
        'job: {script: ["exit 42"], after_script: ["echo after $CI_JOB_STATUS"]}\n'
        "next: {stage: deploy, script: [x]}"
    )
    done = bench.run()
    assert done.names == [*CALLS[:5], "after_script", *CALLS[5:]]
    assert done.exit_code == exit_code
    assert words in done.stdout
    assert "after failed\n" in done.stdout
    assert "next  skipped" in done.stdout
    assert done.environment("cleanup")["CUSTOM_ENV_CI_JOB_STATUS"] == "failed"


def test_a_failed_get_sources_skips_the_authors_scripts(bench: Workbench) -> None:
    """Artifacts for failed jobs are uploaded and file variables removed all the same."""
    bench.behave(get_sources=[{"exit": 1}])
    bench.pipeline(
        "job: {script: [x], after_script: [y], artifacts: {paths: [README.md], when: always}}"
    )
    done = bench.run()
    assert done.names == [*CALLS[:4], "upload_artifacts_on_failure", *CALLS[5:]]
    assert done.exit_code == 1


def test_a_failed_prepare_script_ends_the_job(bench: Workbench) -> None:
    """Nothing but cleanup follows a failed prepare_script."""
    bench.behave(prepare_script=[{"exit": 2}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == [*CALLS[:3], "cleanup"]
    assert done.exit_code == 2


@pytest.mark.family(3)
@pytest.mark.parametrize("name", ["after_script", "cleanup", "cleanup_file_variables"])
def test_what_fails_afterwards_is_only_told(bench: Workbench, name: str) -> None:
    """A failure after the script is shown, and the job stays a success."""
    bench.behave(**{name: [{"exit": 2, "stderr": "what went wrong\n"}]})
    bench.pipeline('job: {script: ["true"], after_script: ["true"]}')
    done = bench.run()
    assert done.exit_code == 0
    assert "WARNING: " in done.stdout
    assert "what went wrong\n" in done.stdout
