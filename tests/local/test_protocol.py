"""`dind-executor local` against a driver that writes down how it was called."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.local.conftest import Workbench

PLAIN = 'job:\n  script: ["echo hello"]\n'
# What a plain job comes to, as gitlab-runner does it.
CALLS = [
    "config",
    "prepare",
    "prepare_script",
    "get_sources",
    "build_script",
    "cleanup_file_variables",
    "cleanup",
]


def wait_for(path: Path) -> None:
    """Return when a job has made a file."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


def test_a_plain_job_is_seven_calls(bench: Workbench) -> None:
    """Each a process group of its own, in the job's directory, with nothing on stdin."""
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.names == CALLS
    directories = {str(call["directory"]) for call in done.calls}
    assert len(directories) == 1
    for call in done.calls:
        assert call["pid"] == call["group"]
        assert call["stdin"] == "/dev/null"
        assert call["response_mode"] == 0o600
        assert not call["exit_code_file_exists"]
        environment = done.environment(str(call["name"]))
        directory = Path(str(call["directory"]))
        assert environment["TMPDIR"] == str(directory)
        assert environment["JOB_RESPONSE_FILE"] == str(directory / "response.json")
        assert environment["BUILD_EXIT_CODE_FILE"] == str(directory / "build_exit_code")
        assert environment["BUILD_FAILURE_EXIT_CODE"] == "1"
        assert environment["SYSTEM_FAILURE_EXIT_CODE"] == "2"
    assert not Path(directories.pop()).exists()
    assert "$ echo hello\nhello\n" in done.stdout
    assert "Using Custom executor with driver fake 1..." in done.stdout


def test_run_gets_a_script_and_the_name_of_its_sub_stage(bench: Workbench) -> None:
    """After its own arguments: a private file, no extension."""
    bench.pipeline(PLAIN)
    done = bench.run()
    arguments = done.call("build_script")["arguments"]
    assert isinstance(arguments, list)
    path, name = arguments
    assert name == "build_script"
    assert Path(path).name == "script"
    assert str(done.call("build_script")["script"]).startswith("#!/usr/bin/env bash\n")


def test_the_config_stage_decides_directories_and_environment(bench: Workbench) -> None:
    """Its job_env is for the later stages; directories are known from then on."""
    answer = {
        "builds_dir": str(bench.directory / "other"),
        "cache_dir": "/other-cache",
        "hostname": "some host",
        "shell": "sh",
        "job_env": {"FROM_DRIVER": "yes", "TMPDIR": "/var/tmp"},
    }
    bench.behave(config=[{"stdout": json.dumps(answer)}])
    bench.pipeline(PLAIN)
    done = bench.run("--project-path", "group/app")
    assert done.exit_code == 0, done.stdout + done.stderr
    before, after = done.environment("config"), done.environment("prepare")
    assert "FROM_DRIVER" not in before
    assert before["CUSTOM_ENV_CI_PROJECT_DIR"] == ""
    assert after["FROM_DRIVER"] == "yes"
    assert after["TMPDIR"] == "/var/tmp"
    assert after["CUSTOM_ENV_CI_BUILDS_DIR"] == str(bench.directory / "other")
    assert after["CUSTOM_ENV_CI_PROJECT_DIR"] == str(bench.directory / "other/group/app")
    assert " via some host...\n" in done.stdout
    assert str(done.call("build_script")["script"]).startswith("#!/usr/bin/env sh\n")
    assert "Using Custom executor...\n" in done.stdout


def test_the_driver_gets_the_job_in_its_environment_and_in_a_file(bench: Workbench) -> None:
    """Names are expanded in both; secrets are there in clear."""
    secret = bench.directory / "secret"
    secret.write_text("hunter22-from-file\n")
    bench.pipeline(
        """
variables: {TAG: "$CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG"}
job:
  image: $TAG
  services: [{name: "$CI_REGISTRY/docker:dind", alias: docker}]
  script: ["true"]
"""
    )
    done = bench.run(
        *("--branch", "Feature/X", "--project-path", "Group/app"),
        *("--variable", "CI_REGISTRY=registry:5000", "--variable", "CI_REGISTRY_PASSWORD=hunter22"),
        *("--secret-variable", f"TOKEN=@{secret}", "--file-variable", f"CONF={secret}"),
    )
    environment = done.environment("prepare")
    payload = json.loads(str(done.call("prepare")["response"]))
    image = "registry:5000/group/app:feature-x"
    assert environment["CUSTOM_ENV_CI_JOB_IMAGE"] == image
    assert payload["image"]["name"] == image
    services = json.loads(environment["CUSTOM_ENV_CI_JOB_SERVICES"])
    assert services[0]["name"] == "registry:5000/docker:dind"
    assert payload["services"][0]["name"] == "registry:5000/docker:dind"
    assert environment["CUSTOM_ENV_TOKEN"] == "hunter22-from-file"
    assert environment["CUSTOM_ENV_CONF"] == "hunter22-from-file\n"
    assert environment["CUSTOM_ENV_CI_COMMIT_BRANCH"] == "Feature/X"
    assert payload["credentials"] == [
        {
            "type": "registry",
            "url": "registry:5000",
            "username": "gitlab-ci-token",
            "password": "hunter22",
        }
    ]
    assert payload["id"] == int(environment["CUSTOM_ENV_CI_JOB_ID"])


def test_a_job_works_on_what_is_committed(bench: Workbench) -> None:
    """A change that is not committed is warned of and left out."""
    bench.write("data", "committed\n")
    sha = bench.commit("Data")
    bench.write("data", "changed\n")
    bench.pipeline('job: {script: ["cat data", "git rev-parse HEAD"]}')
    done = bench.run()
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "\ncommitted\n" in done.stdout
    assert f"\n{sha}\n" in done.stdout
    assert "changes that are not committed" in done.stdout


def test_sources_are_fetched_again_over_what_a_job_left(bench: Workbench) -> None:
    """Untracked files and stale locks go; `clone` starts from nothing."""
    bench.behave(config=[{"stdout": "{}"}])
    bench.pipeline('job: {script: ["ls -A . .git | grep -c left || true", "touch left .git/left"]}')
    bench.run()
    (bench.builds / "local/project/.git/index.lock").touch()
    again = bench.run()
    assert again.exit_code == 0, again.stdout + again.stderr
    assert "\n1\n" in again.stdout
    cloned = bench.run("--variable", "GIT_STRATEGY=clone")
    assert "\n0\n" in cloned.stdout


def test_prepare_is_tried_three_times(bench: Workbench) -> None:
    """Cleanup follows every failed try, in the same directory; a try has its own."""
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
    """The exit code says so."""
    bench.behave(prepare=[{"exit": 1}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "prepare", "cleanup"]
    assert done.exit_code == 1
    assert "ERROR: Job failed: exit status 1\n" in done.stdout


def test_a_second_try_to_prepare_may_succeed(bench: Workbench) -> None:
    """The job goes on as if nothing had been."""
    bench.behave(prepare=[{"exit": 2}, {}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.exit_code == 0
    assert done.names == ["config", "prepare", "cleanup", *CALLS]
    assert "ERROR: Preparation failed: exit status 2\nWill be retried in 3s ..." in done.stdout


def test_a_config_answer_that_is_no_json_is_a_system_failure(bench: Workbench) -> None:
    """Even an empty line is one."""
    bench.behave(config=[{"stdout": "\n"}, {"stdout": "hello"}, {"stdout": "[]"}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "cleanup"] * 3
    assert done.stdout.count("Preparation failed: error while parsing JSON output") == 3
    assert done.exit_code == 2


def test_no_builds_directory_is_not_tried_again(bench: Workbench) -> None:
    """An empty one in the answer is as good as none."""
    bench.behave(config=[{"stdout": '{"builds_dir": ""}'}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == ["config", "cleanup"]
    assert "Job failed: the builds_dir is not configured" in done.stdout


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
    """after_script and the rest still run."""
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
    """Artifacts for failed jobs and file variables are still seen to."""
    bench.behave(get_sources=[{"exit": 1}])
    bench.pipeline(
        "job: {script: [x], after_script: [y], artifacts: {paths: [README.md], when: always}}"
    )
    done = bench.run()
    assert done.names == [*CALLS[:4], "upload_artifacts_on_failure", *CALLS[5:]]
    assert done.exit_code == 1


def test_a_failed_prepare_script_ends_the_job(bench: Workbench) -> None:
    """Nothing but cleanup follows."""
    bench.behave(prepare_script=[{"exit": 2}])
    bench.pipeline(PLAIN)
    done = bench.run()
    assert done.names == [*CALLS[:3], "cleanup"]
    assert done.exit_code == 2


@pytest.mark.parametrize("name", ["after_script", "cleanup", "cleanup_file_variables"])
def test_what_fails_afterwards_is_only_told(bench: Workbench, name: str) -> None:
    """The job stays a success."""
    bench.behave(**{name: [{"exit": 2, "stderr": "what went wrong\n"}]})
    bench.pipeline('job: {script: ["true"], after_script: ["true"]}')
    done = bench.run()
    assert done.exit_code == 0
    assert "WARNING: " in done.stdout
    assert "what went wrong\n" in done.stdout


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
    """The pipeline passes."""
    bench.pipeline(
        'may: {stage: build, script: ["exit 3"], allow_failure: true}\n'
        'then: {script: ["echo went on"]}'
    )
    done = bench.run()
    assert done.exit_code == 0
    assert "\nwent on\n" in done.stdout
    assert "may   failed (3), allowed" in done.stdout


def test_named_jobs_run_alone(bench: Workbench) -> None:
    """The others are not even in the table."""
    bench.pipeline('one: {script: ["echo one"]}\ntwo: {script: ["echo two"]}')
    done = bench.run("two")
    assert done.exit_code == 0
    assert "\ntwo\n" in done.stdout
    assert "\none\n" not in done.stdout
    assert len(done.calls) == len(CALLS)


def test_artifacts_go_from_job_to_job(bench: Workbench) -> None:
    """By paths, from every earlier stage; a job of the same stage gets none of its siblings'."""
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


@pytest.mark.parametrize(("when", "calls"), [("on_success", 0), ("on_failure", 1), ("always", 1)])
def test_a_failed_job_keeps_artifacts_if_asked(bench: Workbench, when: str, calls: int) -> None:
    """By their `when`."""
    bench.pipeline(f'job: {{script: ["exit 1"], artifacts: {{paths: [README.md], when: {when}}}}}')
    done = bench.run()
    assert done.exit_code == 1
    assert done.names.count("upload_artifacts_on_failure") == calls
    assert "upload_artifacts_on_success" not in done.names


def test_secrets_are_masked_wherever_they_show(bench: Workbench) -> None:
    """In scripts, in the driver's own words, in what cleanup says, and in the job token."""
    for name in ("config", "prepare", "cleanup"):
        bench.behave(**{name: [{"stderr": "it is hunter22-secret\n", "stdout": ""}]})
    bench.pipeline('job: {script: ["echo hunter22-secret $TOKEN; echo $CI_JOB_TOKEN"]}')
    done = bench.run("--secret-variable", "TOKEN=hunter22-secret")
    token = done.environment("config")["CUSTOM_ENV_CI_JOB_TOKEN"]
    for text in (done.stdout, done.stderr):
        assert "hunter22" not in text
        assert token not in text
    assert "it is [MASKED]\n" in done.stdout
    assert "[MASKED] [MASKED]\n" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_stops_the_script_and_lets_the_rest_run(
    bench: Workbench, number: signal.Signals
) -> None:
    """As a cancel in GitLab: after_script, failed artifacts and cleanup follow."""
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
    """What runs is stopped, nothing else starts."""
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
    calls = bench.control / "calls.jsonl"
    wait_for(calls)
    while stage not in [call["name"] for call in bench.calls()]:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    done = bench.finish(process)
    assert done.names == [*CALLS[: CALLS.index(stage) + 1], "cleanup"]
    assert done.exit_code == 1
    assert "ERROR: Job failed: canceled" in done.stdout


def test_a_hook_that_ignores_sigterm_is_killed(bench: Workbench) -> None:
    """After graceful_kill_timeout of the registration."""
    bench.configure(custom="graceful_kill_timeout = 1")
    bench.behave(build_script=[{"ignore_sigterm": True, "sleep": 600}])
    bench.pipeline(PLAIN)
    process = bench.start()
    while "build_script" not in [call["name"] for call in bench.calls()]:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    done = bench.finish(process)
    assert done.names == CALLS
    assert done.exit_code == 1


def test_a_job_has_a_time_limit(bench: Workbench) -> None:
    """Only cleanup follows, no after_script."""
    bench.pipeline('job: {script: ["sleep 600"], after_script: ["echo after"]}')
    done = bench.run("--timeout", "3s")
    assert done.names == [*CALLS[:5], "cleanup"]
    assert done.exit_code == 1
    assert "execution took longer than 3s seconds" in done.stdout
    assert "job  timed out" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--file", "none.yml"), "none.yml: no such pipeline file"),
        (("absent",), 'there is no job "absent"; the jobs are job'),
        (("--variable", "A"), "--variable: a value has no KEY="),
        (("--runner", "absent"), 'no runner named "absent"'),
        (("--timeout", "soon"), '--timeout "soon"'),
        (("--project-path", "x"), '--project-path "x"'),
        (("--hooks", "."), "--hooks and --config exclude each other"),
        (("--listen", "127.0.0.1:x"), '"x" is not a port'),
        (("--listen", "192.0.2.1"), "cannot listen on 192.0.2.1"),
    ],
)
def test_wrong_usage_is_one_sentence_and_no_call(
    bench: Workbench, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2, nothing started."""
    bench.pipeline(PLAIN)
    done = bench.run(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.calls == []


def test_rules_that_leave_nothing_are_told(bench: Workbench) -> None:
    """With what to try."""
    bench.pipeline("job: {script: [x], rules: [{if: $NEVER}]}")
    done = bench.run()
    assert done.exit_code == 2
    assert "the rules leave no job to run" in done.stderr


def test_the_report_is_written(bench: Workbench) -> None:
    """Every call with its seconds."""
    bench.pipeline(PLAIN)
    path = bench.directory / "report.json"
    bench.run("--report", str(path))
    (job,) = json.loads(path.read_text())
    assert [call["name"] for call in job["calls"]] == CALLS


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
    assert process.wait(60) == 1
    assert [call["name"] for call in bench.calls()] == [*CALLS[:5], "after_script", *CALLS[5:]]
    assert after.exists()
