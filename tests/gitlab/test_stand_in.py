"""The stand-in itself, with a runner whose executor needs no engine."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import gitlab as python_gitlab
import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests import toml
from tests.gitlab import runner, server, trace
from tests.gitlab.pipelines import Pushed, project_variables


@pytest.fixture(scope="module")
def pushed(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """The sample project, pushed to a GitLab with a shell runner."""
    directory = tmp_path_factory.mktemp("shell")
    variables = project_variables({"A_SECRET": "hunter2-hunter2"})
    with (
        server.serving(directory / "repositories") as gitlab,
        runner.working(gitlab, runner.shell(directory), directory / "runner"),
    ):
        yield Pushed(gitlab, checkout, variables)


def test_sources_artifacts_and_masking_work_as_in_gitlab(pushed: Pushed) -> None:
    """The jobs get sources and artifacts, and the log has masks for secrets."""
    text = """
    stages: [make, use]
    maker:
      stage: make
      script: [test -x deploy.sh, echo made >artifact, 'echo "secret $A_SECRET"']
      artifacts: {paths: [artifact]}
    user: {stage: use, script: [cat artifact]}
    another: {stage: use, script: [cat artifact]}
    """
    jobs = pushed.run(parse_pipeline(text, "test"))
    assert [job.state for job in jobs.values()] == ["success"] * 3
    assert "secret [MASKED]" in trace.lines(jobs["maker"].trace)
    assert "made" in trace.lines(jobs["user"].trace)


def test_later_stages_wait_for_a_stage_that_fails(pushed: Pushed) -> None:
    """No job of a later stage starts after a stage has failed."""
    text = """
    stages: [one, two]
    fails: {stage: one, script: [exit 9]}
    never: {stage: two, script: [echo never]}
    """
    jobs = pushed.run(parse_pipeline(text, "test"))
    assert [(name, job.state, job.exit_code) for name, job in jobs.items()] == [
        ("fails", "failed", 9)
    ]


def test_a_cancel_lets_the_after_script_run(pushed: Pushed) -> None:
    """A cancelled job runs its after_script, which reads the status `canceled`."""
    loop = "while true; do echo tick; sleep 1; done"
    text = f"job: {{script: ['{loop}'], after_script: ['echo status $CI_JOB_STATUS']}}"
    job = pushed.start_only(parse_pipeline(text, "test"))
    job.wait_for("\ntick")
    job.cancel()
    assert (job.wait().state, job.failure_reason) == ("failed", "job_canceled")
    assert "status canceled" in trace.lines(job.trace)


def test_timestamps_of_newer_runners_are_no_part_of_the_text() -> None:
    """The stamps and stream marks before each line are dropped, and continued lines joined."""
    stamped = (
        b"2026-01-02T03:04:05.678901Z 00O \x1b[0KRunning with gitlab-runner 19.3.0\x1b[0;m\n"
        b"2026-01-02T03:04:05.678901Z 01O one \n"
        b"2026-01-02T03:04:06.678901Z 01O+line\n"
        b"2026-01-02T03:04:06.678901Z 01E two\n"
    )
    assert trace.lines(stamped) == ["Running with gitlab-runner 19.3.0", "one line", "two"]


def test_config_toml_says_what_was_meant() -> None:
    """A table that is written as TOML reads back as the same table."""
    table = {
        "concurrent": 4,
        "runners": [
            {"name": 'a "quoted" name', "args": ["--settings", "/a\\b"], "custom": {"on": True}},
            {"name": "ünïcode", "docker": {"volumes": []}},
        ],
    }
    assert tomllib.loads(toml.dumps(table)) == table


def test_a_client_of_gitlabs_api_is_understood(tmp_path: Path) -> None:
    """python-gitlab, which knows GitLab's real API, sees a runner token accepted or refused."""
    with server.serving(tmp_path) as gitlab:
        client = python_gitlab.Gitlab(gitlab.url, timeout=10)
        client.runners.verify(gitlab.runner_token)
        with pytest.raises(python_gitlab.exceptions.GitlabVerifyError) as refused:
            client.runners.verify("glrt-another")
    assert refused.value.response_code == 403
