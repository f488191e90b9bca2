"""The stand-in itself, with a runner whose executor needs no engine."""

import http.client
import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gitlab as python_gitlab
import pytest
from gitlab.v4.objects import CurrentUserRunnerManager

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests import toml
from tests.gitlab import moods, runner, server, trace
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.samples import payload
from tests.patience import LONGEST_SECONDS
from tests.stages.witness import eventually
from tests.web import Request


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
        client = python_gitlab.Gitlab(gitlab.url, timeout=LONGEST_SECONDS)
        client.runners.verify(gitlab.runner_token)
        with pytest.raises(python_gitlab.exceptions.GitlabVerifyError) as refused:
            client.runners.verify("glrt-another")
        (row,) = gitlab.registry.rows.values()
    assert refused.value.response_code == 403
    # Who names no system is a host of its own for GitLab.
    assert list(row.managers) == ["<legacy>"]


def test_python_gitlab_creates_and_reads_runners(tmp_path: Path) -> None:
    """It finds the routes, the scopes and both kinds of pages as GitLab has them."""
    with server.serving(tmp_path) as gitlab:
        token = gitlab.registry.add_user({"create_runner"}, is_admin=True)
        creator = python_gitlab.Gitlab(gitlab.url, private_token=token, timeout=LONGEST_SECONDS)
        made = CurrentUserRunnerManager(creator).create({"runner_type": "instance_type"})
        with pytest.raises(python_gitlab.GitlabGetError) as refused:
            creator.runners.get(made.id)
        for _ in range(4):
            gitlab.registry.add({})
        reader = python_gitlab.Gitlab(gitlab.url, private_token=gitlab.administrators_token)
        listed = [each.id for each in reader.runners_all.list(iterator=True, per_page=2)]
        for number in range(5):
            job = gitlab.enqueue(payload(gitlab.url, id=100 + number))
            gitlab.take(job, "s_one")
        runner_of_all = reader.runners.get(made.id, lazy=True)
        query = {"pagination": "keyset", "order_by": "id", "per_page": 2, "system_id": "s_one"}
        jobs = [each.id for each in runner_of_all.jobs.list(iterator=True, **query)]
    assert refused.value.response_code == 403
    assert made.token.startswith("glrt-")
    assert len(set(listed)) == len(listed) == 6
    assert jobs == [104, 103, 102, 101, 100]


def test_a_jobs_token_tells_of_its_job_as_long_as_that_runs(tmp_path: Path) -> None:
    """python-gitlab reads what GitLab says of the job, and a refusal before and after."""
    with server.serving(tmp_path) as gitlab:
        job = gitlab.enqueue(payload(gitlab.url))
        client = python_gitlab.Gitlab(gitlab.url, job_token=job.token, timeout=LONGEST_SECONDS)
        with pytest.raises(python_gitlab.GitlabAuthenticationError):
            client.http_get("/job")
        gitlab.take(job, "s_dead")
        told = client.http_get("/job")
        assert isinstance(told, dict)
        assert (told["id"], told["status"]) == (job.id, "running")
        assert told["runner_manager"]["system_id"] == "s_dead"
        job.cancel()
        told = client.http_get("/job")
        assert isinstance(told, dict)
        assert told["status"] == "canceling"
        end = {"token": job.token, "state": "failed", "failure_reason": "runner_system_failure"}
        client.http_put(f"/jobs/{job.id}", post_data=end)
        with pytest.raises(python_gitlab.GitlabAuthenticationError):
            client.http_get("/job")
        # A job that is over takes no word more.
        for verb, path in (("put", f"/jobs/{job.id}"), ("patch", f"/jobs/{job.id}/trace")):
            with pytest.raises(python_gitlab.GitlabHttpError) as refused:
                client.http_request(verb, path, post_data={**end, "state": "success"})
            assert refused.value.response_code == 403
    assert (job.state, job.failure_reason) == ("failed", "runner_system_failure")


def test_a_runner_that_has_hung_up_gets_no_job(tmp_path: Path) -> None:
    """A request outlives the gitlab-runner that made it; the next one gets the job."""
    with server.serving(tmp_path) as gitlab:
        asked = {"token": gitlab.runner_token, "system_id": "s_dead"}
        dead = http.client.HTTPConnection(gitlab.host, gitlab.port)
        dead.request("POST", "/api/v4/jobs/request", json.dumps(asked))
        eventually(lambda: gitlab.is_asked, "the dead one's request waits")
        dead.close()
        job = gitlab.enqueue(payload(gitlab.url))
        eventually(lambda: not gitlab.is_asked, "its request is answered")
        body = json.dumps({**asked, "system_id": "s_living"}).encode()
        answer = gitlab.answer(Request("POST", "/api/v4/jobs/request", body=body))
    assert (answer.status, job.runner_manager) == (201, "s_living")


def test_a_log_says_where_it_ends(tmp_path: Path) -> None:
    """A piece at a wrong place is refused with the place where the log really ends."""
    with server.serving(tmp_path) as gitlab:
        job = gitlab.enqueue(payload(gitlab.url))
        gitlab.take(job, "s_dead")
        job.append(0, b"twelve bytes")
        headers = {"job-token": job.token, "content-range": "0-3"}
        path = f"/api/v4/jobs/{job.id}/trace"
        refused = gitlab.answer(Request("PATCH", path, "", headers, b"more"))
        assert (refused.status, refused.headers["Range"]) == (416, "0-12")
        headers["content-range"] = "12-15"
        assert gitlab.answer(Request("PATCH", path, "", headers, b"more")).status == 202
    assert job.trace == b"twelve bytesmore"


def test_a_retry_is_another_job_for_whoever_asks(pushed: Pushed) -> None:
    """A job that fails for a reason of its `retry` is given out again, once, with its own token."""
    text = """
    job:
      script: ['test "$CI_JOB_ID" != "$FIRST" || exit 7', 'echo "second $CI_JOB_ID"']
      retry: {max: 1, when: script_failure}
    """
    pipeline = parse_pipeline(text, "test")
    first = pushed.gitlab.last_id + 2  # after the pipeline's own
    job = replace(pushed, variables=project_variables({"FIRST": str(first)})).start_only(pipeline)
    assert (job.id, job.wait().failure_reason) == (first, "script_failure")
    again = job.wait_for_again()
    assert again.wait().state == "success"
    assert again.token != job.token
    assert f"second {again.id}" in trace.lines(again.trace)


def test_a_mood_answers_in_gitlabs_place(tmp_path: Path) -> None:
    """What a mood leaves, GitLab answers."""
    with server.serving(tmp_path) as gitlab:
        gitlab.mood = moods.only_for("GET", "/job", moods.login_page)
        page = gitlab.answer(Request("GET", "/api/v4/job"))
        other = gitlab.answer(Request("GET", "/api/v4/jobs/1/artifacts"))
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert other.status == 403
