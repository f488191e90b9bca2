"""`dind-executor fleet rotate` beside a real gitlab-runner that has jobs all the time."""

import json
import tomllib
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from executor.commands.gitlab.runner_tokens import whose
from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import runner, server
from tests.gitlab.pipelines import Pushed


def test_no_job_fails_while_the_token_of_its_runner_is_rotated(
    checkout: Checkout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One runs through it, and others come; gitlab-runner reads the new token by itself."""
    config, go = tmp_path / "runner" / "config.toml", tmp_path / "go"
    long = parse_pipeline(f"job: {{script: ['until test -e {go}; do sleep 0.1; done']}}", "test")
    short = parse_pipeline("job: {script: [echo done]}", "test")
    with (
        server.serving(tmp_path / "repositories") as gitlab,
        runner.working(gitlab, runner.shell(tmp_path), config.parent, concurrent=2) as working,
    ):
        pushed = Pushed(gitlab, checkout)
        through = pushed.start_only(long)
        through.wait_for("until test")
        old = gitlab.runner_token
        jobs = [pushed.start_only(short) for _ in range(3)]
        token = tmp_path / "token"
        token.write_text(gitlab.registry.add_user({"manage_runner"}))
        token.chmod(0o600)
        files = ["--token-file", str(token), "--audit-log", str(tmp_path / "log")]

        assert run(["rotate", "--config", str(config), *files, "--yes"], {}) == 0

        jobs += [pushed.start_only(short) for _ in range(3)]
        states = [job.wait().state for job in jobs]
        assert through.state == "running"
        go.touch()
        states.append(through.wait().state)
        assert states == ["success"] * 7, working.log()
        said = [json.loads(each)["state"] for each in capfd.readouterr().out.splitlines()]
        assert said == ["rotated", "called"]
        (entry,) = tomllib.loads(config.read_text())["runners"]
        assert entry["token"] == gitlab.runner_token != old
        assert whose(gitlab.url, old, "s_any") is None
        (row,) = gitlab.registry.rows.values()
        assert len(row.managers) == 1
