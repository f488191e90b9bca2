"""The calls of a job: what each hook gets, and the job log of it."""

import json
from pathlib import Path

from tests.local.calls import CALLS, PLAIN
from tests.local.conftest import Workbench


def test_a_plain_job_is_seven_calls(bench: Workbench) -> None:
    """Each call has its own process group, the job's directory, and nothing on stdin."""
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
    """The script is a private file without an extension, named after the hook's own arguments."""
    bench.pipeline(PLAIN)
    done = bench.run()
    arguments = done.call("build_script")["arguments"]
    assert isinstance(arguments, list)
    path, name = arguments
    assert name == "build_script"
    assert Path(path).name == "script"
    assert str(done.call("build_script")["script"]).startswith("#!/usr/bin/env bash\n")


def test_the_config_stage_decides_directories_and_environment(bench: Workbench) -> None:
    """The answer's job_env reaches the later stages, and directories are known from then on."""
    answer = {
        "builds_dir": str(bench.directory / "other"),
        "cache_dir": "/other-cache",
        "hostname": "some host",
        "shell": "sh",
        "job_env": {"FROM_CONFIG": "yes", "TMPDIR": "/var/tmp"},
    }
    bench.behave(config=[{"stdout": json.dumps(answer)}])
    bench.pipeline(PLAIN)
    done = bench.run("--project-path", "group/app")
    assert done.exit_code == 0, done.stdout + done.stderr
    before, after = done.environment("config"), done.environment("prepare")
    assert "FROM_CONFIG" not in before
    assert before["CUSTOM_ENV_CI_PROJECT_DIR"] == ""
    assert after["FROM_CONFIG"] == "yes"
    assert after["TMPDIR"] == "/var/tmp"
    assert after["CUSTOM_ENV_CI_BUILDS_DIR"] == str(bench.directory / "other")
    assert after["CUSTOM_ENV_CI_PROJECT_DIR"] == str(bench.directory / "other/group/app")
    assert " via some host...\n" in done.stdout
    assert str(done.call("build_script")["script"]).startswith("#!/usr/bin/env sh\n")
    assert "Using Custom executor...\n" in done.stdout


def test_the_hooks_get_the_job_in_their_environment_and_in_a_file(bench: Workbench) -> None:
    """Names are expanded in both, and secrets are there in clear."""
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


def test_secrets_are_masked_wherever_they_show(bench: Workbench) -> None:
    """The job log shows no secret of a script or of a hook, and not the job token."""
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
