"""`dind-executor fleet rotate` beside real gitlab-runners that have jobs all the time."""

import datetime as dt
import json
import time
import tomllib
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from executor.commands.gitlab.runner_tokens import whose
from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import runner, server
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

SECONDS = 300
# A host that has as many asks for no other, and calls no more in the stand-in.
MOST_JOBS = 4


def token_of(config: Path) -> str:
    """Return the one token that a config.toml has."""
    (entry,) = tomllib.loads(config.read_text())["runners"]
    return str(entry["token"])


def kept(path: Path, token: str) -> str:
    """Return the path of a file with a token."""
    path.write_text(token)
    path.chmod(0o600)
    return str(path)


def wait_for_calls(gitlab: GitLab, hosts: int) -> None:
    """Return when so many hosts have called since now."""
    since = dt.datetime.now(dt.UTC).isoformat()
    deadline = time.monotonic() + SECONDS
    (row,) = gitlab.registry.rows.values()
    while sum(each.contacted_at > since for each in tuple(row.managers.values())) < hosts:
        assert time.monotonic() < deadline, row
        time.sleep(0.05)


def gives_to(gitlab: GitLab, system_id: str) -> None:
    """Have one host alone get jobs."""

    def nothing(request: Request, but: str = "") -> Answer | None:
        if request.path != "/api/v4/jobs/request" or request.json().get("system_id") == but:
            return None
        return Answer(HTTPStatus.NO_CONTENT)

    gitlab.mood = nothing
    deadline = time.monotonic() + SECONDS
    while gitlab.is_asked:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    gitlab.mood = lambda request: nothing(request, system_id)


def test_no_job_fails_while_the_token_of_its_runner_is_rotated(
    checkout: Checkout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two hosts share it: jobs run through it on both, others come, and both take jobs with the new one."""
    one, two, go = tmp_path / "one", tmp_path / "two", tmp_path / "go"
    long = parse_pipeline(f"job: {{script: ['until test -e {go}; do sleep 0.1; done']}}", "test")
    short = parse_pipeline("job: {script: [echo done]}", "test")
    names = ["s_000000000001", "s_000000000002"]
    for host, name in zip((one, two), names, strict=True):
        host.mkdir()
        # Else the machine gives them one name.
        (host / ".runner_system_id").write_text(name)
    with (
        server.serving(tmp_path / "repositories") as gitlab,
        runner.working(gitlab, runner.shell(one), one, concurrent=MOST_JOBS) as first,
        runner.working(gitlab, runner.shell(two), two, concurrent=MOST_JOBS) as second,
    ):
        pushed, old = Pushed(gitlab, checkout), gitlab.runner_token
        wait_for_calls(gitlab, 2)
        through = []
        for name in names:
            gives_to(gitlab, name)
            through.append(pushed.start_only(long))
            through[-1].wait_for("until test")
        gitlab.mood = lambda _: None
        assert [job.runner_manager for job in through] == names
        log = ["--audit-log", str(tmp_path / "log"), "--yes"]
        user = kept(tmp_path / "user", gitlab.registry.add_user({"manage_runner"}))
        here = ["rotate", "--config", str(one / "config.toml"), "--token-file", user, *log]
        here += ["--timeout", str(SECONDS)]
        there = ["rotate", "--config", str(two / "config.toml"), *log, "--new-token-file"]

        assert run(here, {}) == 1
        assert gitlab.runner_token == old
        assert run([*here, "--shared"], {}) == 0
        said = [json.loads(each)["state"] for each in capfd.readouterr().out.splitlines()]
        assert said == ["rotated", "called"]
        new = token_of(one / "config.toml")
        assert new == gitlab.runner_token != old
        assert run([*there, kept(tmp_path / "new", new)], {}) == 0
        assert token_of(two / "config.toml") == new
        wait_for_calls(gitlab, 2)

        states = [pushed.start_only(short).wait().state for _ in range(3)]
        assert {job.state for job in through} == {"running"}
        go.touch()
        states += [job.wait().state for job in through]
        assert set(states) == {"success"}, first.log() + second.log()
        assert whose(gitlab.url, old, "s_any") is None
        (row,) = gitlab.registry.rows.values()
        assert len(row.managers) == 2
