"""Pipelines of several jobs through the fake hooks: order, tries, caches, time limits."""

import json
import re
import shutil

import pytest

from tests.local.conftest import Finished, Workbench


def rows(done: Finished, count: int) -> list[str]:
    """Return job and result of the last rows of the table."""
    found = [re.split(r"  +", line) for line in done.stdout.splitlines()[-count:]]
    return [" ".join(row[:2]) for row in found]


def test_a_job_starts_when_its_needs_are_there(bench: Workbench) -> None:
    """A job with needs starts before its stage, and gets artifacts of its needs alone."""
    marker = bench.directory / "marker"
    bench.pipeline(
        f"""
stages: [one, two, three]
make: {{stage: one, script: ["echo made > a"], artifacts: {{paths: [a]}}}}
also: {{stage: one, script: ["echo also > b"], artifacts: {{paths: [b]}}}}
slow: {{stage: two, script: ["until [ -e {marker} ]; do sleep 0.05; done"]}}
early: {{stage: three, needs: [make], script: ["cat a; test ! -e b; touch {marker}"]}}
late: {{stage: three, dependencies: [also], script: ["cat b; test ! -e a"]}}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert rows(done, 5) == [f"{job} success" for job in ("make", "also", "slow", "early", "late")]
    assert "\nearly | made\n" in done.stdout
    assert "\nlate  | also\n" in done.stdout


def test_a_failure_skips_what_waits_for_it_and_nothing_else(bench: Workbench) -> None:
    """Jobs that wait for a failed one, also over another job, are skipped."""
    bench.pipeline(
        """
bad: {stage: build, script: ["exit 1"]}
good: {stage: build, script: ["true"]}
after-bad: {stage: deploy, needs: [bad], script: [x]}
after-that: {stage: test, needs: [], script: ["true"]}
after-good: {stage: deploy, needs: [good], script: ["true"]}
last: {stage: deploy, needs: [after-bad], script: [x]}
"""
    )
    done = bench.run()
    assert done.exit_code == 1
    assert sorted(rows(done, 6)) == [
        "after-bad skipped",
        "after-good success",
        "after-that success",
        "bad failed (1)",
        "good success",
        "last skipped",
    ]


def test_a_job_is_tried_again_and_counts_once(bench: Workbench) -> None:
    """Each try is a new job with its own id, and follows only failures that retry names."""
    counter = bench.directory / "counter"
    bench.pipeline(
        f"""
flaky:
  stage: build
  script: ['echo x >> {counter}', 'test "$(wc -l < {counter})" = 3 || exit 42']
  retry: {{max: 2, exit_codes: 42}}
hopeless: {{script: ["exit 1"], retry: {{max: 2, when: runner_system_failure}}}}
"""
    )
    done = bench.run()
    assert done.exit_code == 1
    assert rows(done, 4) == [
        "flaky failed (42), retried",
        "flaky failed (42), retried",
        "flaky success",
        "hopeless failed (1)",
    ]
    ids = [
        call["environment"]["CUSTOM_ENV_CI_JOB_ID"]  # type: ignore[index]
        for call in done.calls
        if call["name"] == "build_script"
    ]
    assert len(set(ids)) == 4


def test_allowed_exit_codes_stop_nothing(bench: Workbench) -> None:
    """An exit code that allow_failure names stops nothing, and another one stops the pipeline."""
    bench.pipeline(
        """
may: {stage: build, script: ["exit 3"], allow_failure: {exit_codes: [3, 4]}}
not: {script: ["exit 5"], allow_failure: {exit_codes: 3}}
"""
    )
    done = bench.run()
    assert done.exit_code == 1
    assert rows(done, 2) == ["may failed (3), allowed", "not failed (5)"]
    assert "WARNING: the job is allowed to fail\n" in done.stdout
    assert bench.run("may").exit_code == 0


CACHED = """
default:
  cache: {key: $CI_COMMIT_REF_SLUG, paths: [kept]}
fill:
  stage: build
  script: ["ls kept || true", "mkdir -p kept; echo $WORD > kept/word"]
use:
  stage: test
  cache: {key: other, paths: [kept], fallback_keys: [$CI_COMMIT_REF_SLUG], policy: pull}
  script: ["cat kept/word"]
"""


@pytest.mark.family(2)
@pytest.mark.parametrize("server", [False, True])
def test_a_cache_goes_from_job_to_job_and_from_run_to_run(
    bench: Workbench, *, server: bool
) -> None:
    """A cache stays in the cache_dir, or in a directory of the host that the command serves."""
    bench.pipeline(CACHED)
    options = ["--cache-server", str(bench.directory / "served")] if server else []
    done = bench.run(*options, "--variable", "WORD=first")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "\nfirst\n" in done.stdout
    assert "Checking cache for main-non_protected...\n" in done.stdout
    assert "Not uploading cache other-non_protected due to policy\n" in done.stdout
    if server:
        shutil.rmtree(bench.directory / "cache")
    again = bench.run(*options, "--variable", "WORD=second", "fill")
    assert "\nword\n" in again.stdout
    payload = json.loads(str(again.call("prepare")["response"]))
    assert payload["cache"] == [
        {
            "key": "$CI_COMMIT_REF_SLUG-non_protected",
            "untracked": False,
            "policy": "pull-push",
            "paths": ["kept"],
            "when": "on_success",
            "fallback_keys": [],
        }
    ]


@pytest.mark.family(3)
@pytest.mark.parametrize(("when", "calls"), [("on_success", 0), ("on_failure", 1), ("always", 1)])
def test_a_failed_job_saves_a_cache_if_asked(bench: Workbench, when: str, calls: int) -> None:
    """A failed job saves its caches by their `when`, before its artifacts."""
    bench.pipeline(
        f"""
job:
  script: ["echo x > a; exit 1"]
  cache: {{paths: [a], when: {when}}}
  artifacts: {{paths: [a], when: always}}
"""
    )
    done = bench.run()
    assert done.exit_code == 1
    saving = ["archive_cache_on_failure"] * calls
    assert done.names == [
        *("config", "prepare", "prepare_script", "get_sources", "restore_cache", "build_script"),
        *(*saving, "upload_artifacts_on_failure", "cleanup_file_variables", "cleanup"),
    ]


def test_a_helper_without_gitlab_runner_fails_a_job_with_a_cache(bench: Workbench) -> None:
    """Such a helper never keeps a cache, so the job fails with a sentence about it."""
    client = bench.control / "bin" / "gitlab-runner"
    client.unlink(missing_ok=True)
    client.write_text("#!/bin/sh\nexit 127\n")
    client.chmod(0o755)
    bench.pipeline('job: {script: ["true"], cache: {paths: [a]}}')
    done = bench.run()
    assert done.exit_code == 1
    assert "ERROR: Missing gitlab-runner in the helper container. Extracting" in done.stdout


def test_reports_are_uploaded_and_go_to_no_job(bench: Workbench) -> None:
    """Failed jobs upload their reports too, and no job gets them."""
    bench.pipeline(
        """
job: {stage: build, allow_failure: true, script: ["echo x > a.xml; exit 1"],
  artifacts: {reports: {junit: a.xml}}}
next: {script: ["test ! -e a.xml"]}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "upload_artifacts_on_failure" in done.names
    assert "download_artifacts" not in done.names


def test_a_jobs_own_time_limit_beats_the_commands(bench: Workbench) -> None:
    """The payload and the job's variables have it; retry may name it."""
    marker = bench.directory / "started"
    bench.count_from(marker)
    bench.pipeline(
        f"""
job:
  script: ["touch {marker}", "sleep 600"]
  after_script: ["echo after"]
  timeout: 1 second
  retry: {{max: 1, when: job_execution_timeout}}
"""
    )
    done = bench.run("--timeout", "10m")
    assert rows(done, 2) == ["job timed out, retried", "job timed out"]
    assert "ERROR: Job failed: execution took longer than 1s seconds\n" in done.stdout
    assert "\nafter\n" not in done.stdout
    assert done.environment("prepare")["CUSTOM_ENV_CI_JOB_TIMEOUT"] == "1"
    payload = json.loads(str(done.call("prepare")["response"]))
    assert payload["runner_info"]["timeout"] == 1


def test_a_script_has_a_time_limit_of_its_own(bench: Workbench) -> None:
    """RUNNER_SCRIPT_TIMEOUT stops the script alone, RUNNER_AFTER_SCRIPT_TIMEOUT what follows."""
    bench.pipeline(
        """
job:
  variables: {RUNNER_SCRIPT_TIMEOUT: 1s, RUNNER_AFTER_SCRIPT_TIMEOUT: 1s}
  script: ["sleep 600"]
  after_script: ["echo after $CI_JOB_STATUS", "sleep 600"]
"""
    )
    done = bench.run()
    assert done.exit_code == 1
    assert rows(done, 1) == ["job timed out"]
    assert "\nafter timedout\n" in done.stdout
    assert "WARNING: step_script could not run to completion" in done.stdout
    assert "WARNING: after_script could not run to completion" in done.stdout
    assert "ERROR: Job failed: script timeout: context deadline exceeded\n" in done.stdout
    assert done.names[-2:] == ["cleanup_file_variables", "cleanup"]


def test_sub_stages_of_the_helper_are_tried_as_often_as_variables_say(bench: Workbench) -> None:
    """Any failure counts; before the second try for the sources the work tree is cleared."""
    bench.behave(
        get_sources=[{"exit": 2}, {"exit": 1}, {}],
        restore_cache=[{"exit": 1}, {}],
    )
    bench.pipeline(
        """
job:
  variables: {GET_SOURCES_ATTEMPTS: 3, RESTORE_CACHE_ATTEMPTS: 2}
  script: ["true"]
  cache: {paths: [a], policy: pull}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    sources = ["get_sources", "clear_worktree", "get_sources", "get_sources"]
    assert done.names[3:10] == [*sources, "restore_cache", "restore_cache", "build_script"]


def test_a_failed_after_script_fails_the_job_if_asked(bench: Workbench) -> None:
    """The job fails where AFTER_SCRIPT_IGNORE_ERRORS is false."""
    bench.pipeline(
        "job: {script: ['true'], after_script: ['exit 7'],"
        " variables: {AFTER_SCRIPT_IGNORE_ERRORS: 'false'}}"
    )
    done = bench.run()
    assert done.exit_code == 1
    assert rows(done, 1) == ["job failed (7)"]


def test_stages_run_in_order_and_their_jobs_at_once(bench: Workbench) -> None:
    """Two jobs of a stage wait for each other; the next stage waits for both."""
    here, there = bench.directory / "here", bench.directory / "there"
    wait = "until [ -e {} ]; do sleep 0.05; done"
    bench.pipeline(
        f"""
stages: [first, second]
last: {{stage: second, script: ["ls {here} {there}"]}}
one: {{stage: first, script: ["touch {here}", "{wait.format(there)}", "echo one done"]}}
another: {{stage: first, script: ["touch {there}", "{wait.format(here)}"]}}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "one     | one done\n" in done.stdout
    assert "another | Job succeeded\n" in done.stdout
    assert "\nJob succeeded\n" in done.stdout
    assert done.names[-1] == "cleanup"
    slots = {
        call["environment"]["CUSTOM_ENV_CI_CONCURRENT_ID"]  # type: ignore[index]
        for call in done.calls
        if call["name"] == "build_script"
    }
    assert slots == {"0", "1"}
    jobs = [line.split()[0] for line in done.stdout.splitlines()[-3:]]
    assert jobs == ["one", "another", "last"]


def test_a_job_that_may_fail_stops_nothing(bench: Workbench) -> None:
    """The pipeline passes although such a job fails."""
    bench.pipeline(
        'may: {stage: build, script: ["exit 3"], allow_failure: true}\n'
        'then: {script: ["echo went on"]}'
    )
    done = bench.run()
    assert done.exit_code == 0
    assert "\nwent on\n" in done.stdout
    assert "may   failed (3), allowed" in done.stdout


def test_artifacts_go_from_job_to_job(bench: Workbench) -> None:
    """A job gets the paths of every earlier stage, and none of its own stage."""
    bench.pipeline(
        """
stages: [one, two, three]
make: {stage: one, script: ["mkdir out; echo made > out/a"], artifacts: {paths: [out]}}
more: {stage: two, script: ["cat out/a; echo more > b"], artifacts: {paths: ["b"]}}
none: {stage: two, script: ["test ! -e b"]}
last: {stage: three, script: ["echo $(cat out/a b)"]}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "\nmade more\n" in done.stdout
    assert done.names.count("upload_artifacts_on_success") == 2
    assert done.names.count("download_artifacts") == 3


@pytest.mark.family(3)
@pytest.mark.parametrize(("when", "calls"), [("on_success", 0), ("on_failure", 1), ("always", 1)])
def test_a_failed_job_keeps_artifacts_if_asked(bench: Workbench, when: str, calls: int) -> None:
    """A failed job uploads the artifacts whose `when` says so."""
    bench.pipeline(f'job: {{script: ["exit 1"], artifacts: {{paths: [README.md], when: {when}}}}}')
    done = bench.run()
    assert done.exit_code == 1
    assert done.names.count("upload_artifacts_on_failure") == calls
    assert "upload_artifacts_on_success" not in done.names


def test_later_jobs_get_the_variables_of_a_report(bench: Workbench) -> None:
    """A dotenv report beats the file's variables, for the jobs that get artifacts alone."""
    bench.pipeline(
        """
variables: {VERSION: file}
make: {stage: build, script: ["echo VERSION=made > a.env"], artifacts: {reports: {dotenv: a.env}}}
with: {stage: test, script: ['test "$VERSION" = made']}
without: {stage: test, needs: [{job: make, artifacts: false}], script: ['test "$VERSION" = file']}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert rows(done, 3) == ["make success", "with success", "without success"]


def test_jobs_for_failures_run_after_failures_alone(bench: Workbench) -> None:
    """`on_failure` waits for a failure, `always` for the end; neither holds anything up."""
    bench.pipeline(
        """
stages: [one, two, three]
try: {stage: one, script: ['test "$FAILS" = no']}
mend: {stage: two, script: ["true"], when: on_failure}
tidy: {stage: two, script: ["true"], when: always}
last: {stage: three, script: ["true"]}
"""
    )
    failed = bench.run("--variable=FAILS=yes")
    assert failed.exit_code == 1, failed.stdout + failed.stderr
    assert rows(failed, 4) == ["try failed (1)", "mend success", "tidy success", "last skipped"]
    passed = bench.run("--variable=FAILS=no")
    assert passed.exit_code == 0, passed.stdout + passed.stderr
    assert rows(passed, 4) == ["try success", "mend skipped", "tidy success", "last success"]
    named = bench.run("mend")
    assert named.exit_code == 0, named.stdout + named.stderr
    assert rows(named, 1) == ["mend success"]


def test_a_pipeline_with_much_that_is_for_gitlab_runs(bench: Workbench) -> None:
    """Includes, the workflow, a matrix, rules for files and a manual job, all in one file."""
    bench.write("ci/shared.yml", ".tool: {interruptible: true, variables: {FROM: shared}}\n")
    bench.write("src/a.py", "")
    bench.commit("Change a source")
    bench.pipeline(
        """
include: {local: /ci/shared.yml}
workflow: {rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH, variables: {MODE: main}}]}
build:
  extends: .tool
  stage: build
  resource_group: one
  parallel: {matrix: [{ARCH: [a, b]}]}
  rules: [{changes: [src/*.py], exists: [README.md], variables: {KIND: changed}}]
  script: ['echo "got $ARCH $MODE $KIND $FROM $CI_NODE_INDEX/$CI_NODE_TOTAL"']
docs: {script: [x], rules: [{changes: [docs/*]}]}
ship: {stage: deploy, when: manual, script: [echo shipped]}
other: {stage: deploy, rules: [{if: $OTHER}], trigger: group/project}
"""
    )
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert rows(done, 2) == ["build: [a] success", "build: [b] success"]
    assert "got a main changed shared 1/2" in done.stdout
    assert "got b main changed shared 2/2" in done.stdout
    named = bench.run("ship")
    assert named.exit_code == 0, named.stdout + named.stderr
    assert rows(named, 1) == ["ship success"]
    refused = bench.run("other", "--variable=OTHER=1")
    assert refused.exit_code == 2
    assert 'job "other": keyword "trigger" is not supported' in refused.stderr
