"""How jobs end, as GitLab is told by a real gitlab-runner, and what stands in their logs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import leftovers, runner, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.server import GitLab
from tests.rig.state import Rig


def run(pushed: Pushed, text: str) -> Job:
    """Run the one job of a pipeline to its end."""
    return pushed.start_only(parse_pipeline(text, "test")).wait()


def told(job: Job) -> tuple[str, str, int]:
    """Return what GitLab was told about the end of a job."""
    return job.state, job.failure_reason, job.exit_code


def test_the_log_says_what_the_docker_executor_would_say(pushed: Pushed) -> None:
    """The lines of a simple job come in the Docker executor's order and words."""
    job = run(pushed, "job: {image: 'docker:20.10.16', script: [echo user script]}")
    found = trace.plain(job.trace)
    assert told(job) == ("success", "", 0)
    expected = [
        r"Running with gitlab-runner \d+",
        r'Preparing the "custom" executor',
        r"Using Custom executor with driver dind-executor v\d",
        r"Using dind-executor with image docker:20\.10\.16 \.\.\.",
        r"Using effective pull policy of \[always\] for container docker:20\.10\.16",
        r"Pulling docker image docker:20\.10\.16 \.\.\.",
        (
            r"Using docker image sha256:[0-9a-f]{64} for docker:20\.10\.16 with digest "
            r"docker@sha256:[0-9a-f]{64} \.\.\."
        ),
        r"Preparing environment",
        r"Running on \S+",
        r"Getting source from Git repository",
        rf"Checking out {pushed.checkout.sha[:8]} as detached HEAD \(ref is main\)\.\.\.",
        r'Executing "step_script" stage of the job script',
        r"\$ echo user script",
        r"user script",
        r"Cleaning up project directory and file based variables",
        r"Job succeeded",
    ]
    assert re.search(r"[\s\S]*?^.*".join(expected), found, re.MULTILINE), found


def test_a_docker_client_goes_past_the_jobs_proxy(pushed: Pushed, rig: Rig) -> None:
    """gitlab-runner's script sets NO_PROXY; the job's names are in front of what it sets."""
    variables = f"{{HTTPS_PROXY: 'http://{rig.address}:9', NO_PROXY: '{rig.address},a b*:1'}}"
    script = "['docker version', 'echo \"is $NO_PROXY\"']"
    job = run(
        pushed, f"job: {{image: 'docker:20.10.16', variables: {variables}, script: {script}}}"
    )
    assert told(job) == ("success", "", 0)
    expected = rf"^is docker,localhost,127\.0\.0\.1,.*{re.escape(rig.address)},a b\*:1$"
    assert re.search(expected, trace.plain(job.trace), re.MULTILINE)


def test_the_exit_code_of_a_script_reaches_gitlab(pushed: Pushed) -> None:
    """A script that exits 42 is a script failure with that code."""
    job = run(pushed, "job: {script: [exit 42]}")
    assert told(job) == ("failed", "script_failure", 42)
    assert "ERROR: Job failed: exit status 42" in trace.plain(job.trace)


def test_an_exit_code_is_that_of_the_sub_stage_that_failed(pushed: Pushed) -> None:
    """The first sub-stage that fails decides the code: script or after_script."""
    text = """
    job:
      variables: {AFTER_SCRIPT_IGNORE_ERRORS: "false"}
      script: ["true"]
      after_script: [exit 7]
    """
    assert told(run(pushed, text)) == ("failed", "script_failure", 7)
    both = run(pushed, "job: {script: [exit 42], after_script: [exit 7]}")
    assert told(both) == ("failed", "script_failure", 42)


def test_an_image_that_does_not_exist_fails_the_job_at_the_first_try(pushed: Pushed) -> None:
    """The job ends as a script failure without a retry, and the log names the image."""
    job = run(pushed, "job: {image: '$CI_REGISTRY_IMAGE/nowhere:1', script: [echo never]}")
    log = trace.plain(job.trace)
    assert told(job) == ("failed", "script_failure", 1)
    assert log.count("Preparing the") == 1
    assert "Will be retried" not in log
    assert "/group/project/nowhere:1" in log.partition("ERROR")[2]


def test_an_engine_that_does_not_answer_is_tried_three_times(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> None:
    """gitlab-runner tries prepare three times, then reports a system failure."""
    settings = tmp_path / "settings.toml"
    text = rig.settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(rig.engine_host, f"unix://{tmp_path}/nothing.sock"))
    pushed = Pushed(another_gitlab, checkout)
    with runner.working(another_gitlab, runner.custom(settings), tmp_path / "runner"):
        job = run(pushed, "job: {script: [echo never]}")
    log = trace.plain(job.trace)
    assert told(job)[:2] == ("failed", "runner_system_failure")
    assert log.count("ERROR: Preparation failed") == 3
    assert f"{tmp_path}/nothing.sock" in log


def test_artifacts_pass_from_one_job_to_the_next(pushed: Pushed) -> None:
    """A job of a later stage finds the files that an earlier one uploaded."""
    text = """
    stages: [make, use]
    maker:
      stage: make
      image: docker:20.10.16
      script: [mkdir -p out/deep, "echo from $CI_JOB_NAME > out/deep/file"]
      artifacts: {paths: [out/]}
    user:
      stage: use
      image: busybox
      script: [cat out/deep/file]
    """
    jobs = pushed.run(parse_pipeline(text, "test"))
    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert [job.state for job in jobs.values()] == ["success", "success"], logs
    assert "Uploading artifacts for successful job" in logs["maker"]
    assert "from maker" in logs["user"].splitlines()


def test_containers_of_a_job_see_its_project_directory(pushed: Pushed) -> None:
    """A container started with `docker run -v` reads and writes the job's files."""
    text = """
    job:
      image: docker:20.10.16
      script:
        - echo in the build container > seen
        - docker run --rm -v $CI_PROJECT_DIR:/src alpine cat /src/seen
        - docker run --rm -v $CI_PROJECT_DIR:/src alpine touch /src/made-inside
        - ls made-inside
    """
    job = run(pushed, text)
    assert job.state == "success", trace.plain(job.trace)
    assert "in the build container" in trace.lines(job.trace)


@pytest.mark.parametrize("image", ["docker:20.10.16", "busybox"])
def test_file_variables_are_paths_in_the_job(pushed: Pushed, image: str) -> None:
    """A file variable names a file in the container that has the variable's value."""
    given = project_variables({"LETTER": "dear\nreader\n"})
    letter = replace(given[0], file=True)
    text = f'job: {{image: "{image}", script: [\'test -f "$LETTER"\', \'cat "$LETTER"\']}}'
    job = run(replace(pushed, variables=(*pushed.variables, letter)), text)
    assert job.state == "success", trace.plain(job.trace)
    assert "dear\nreader\n" in trace.plain(job.trace)


@pytest.mark.parametrize("strategy", ["clone", "none", "empty"])
def test_a_script_starts_in_its_project_directory(pushed: Pushed, strategy: str) -> None:
    """The directory exists and takes files, whatever git strategy filled it."""
    text = f"""
    job:
      image: busybox
      variables: {{GIT_STRATEGY: {strategy}}}
      script: ['test "$PWD" = "$CI_PROJECT_DIR"', "ls; echo it can write >here"]
    """
    job = run(pushed, text)
    assert job.state == "success", trace.plain(job.trace)
    assert ("deploy.sh" in trace.lines(job.trace)) == (strategy == "clone")


def test_an_image_of_another_user_works_on_the_sources(pushed: Pushed) -> None:
    """A user other than root may change, remove and add files of the project."""
    text = """
    job:
      image: $TOOLS_REGISTRY/tools/other-user:1
      script: [id -u, rm Dockerfile, echo new >deploy.sh, mkdir made, touch made/file]
      artifacts: {paths: [made/]}
    """
    job = run(pushed, text)
    assert job.state == "success", trace.plain(job.trace)
    assert "1000" in trace.lines(job.trace)
    assert job.artifacts is not None


def test_a_job_that_takes_too_long_is_stopped(pushed: Pushed) -> None:
    """The script gets SIGTERM, after_script does not run, and GitLab reads the timeout."""
    text = """
    job:
      image: busybox
      script:
        - trap 'echo Caught SIGTERM; exit 1' TERM
        - while true; do echo tick; sleep 1; done
      after_script: [echo never]
    """
    job = run(replace(pushed, timeout_seconds=30), text)
    log = trace.plain(job.trace)
    assert told(job)[:2] == ("failed", "job_execution_timeout")
    assert "tick" in log.splitlines()
    assert "Caught SIGTERM" in log.splitlines()
    assert "Running after_script" not in log


def test_two_jobs_at_once_do_not_meet(pushed: Pushed, rig: Rig) -> None:
    """Each job has a daemon of its own, and neither leaves anything behind."""
    pipeline = parse_pipeline(
        """
        one: {script: ["docker tag busybox mine || docker pull busybox", "sleep 3", "docker ps -a"]}
        two: {script: ["docker tag busybox mine || docker pull busybox", "sleep 3", "docker ps -a"]}
        """,
        "test",
    )
    jobs = pushed.run(pipeline)
    assert [job.state for job in jobs.values()] == ["success", "success"]
    assert leftovers.of_jobs(rig.engine_host, jobs.values()) == []
