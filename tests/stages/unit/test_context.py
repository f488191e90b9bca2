"""What config made known to the later stages."""

import json
from pathlib import Path

import pytest

from executor.errors import SettingsError
from executor.runner.context import RunContext
from executor.runner.environ import RUN_CONTEXT, RunnerEnv
from executor.stages.context import run_context
from tests.builders import TOKEN, a_payload

VALUES: dict[str, object] = {
    "host": "tcp://engine:2376",
    "tls_dir": "/etc/docker",
    "tls_verify": True,
    "key": "4711-0123456789",
    "job_id": 4711,
    "project_id": 42,
    "ready_timeout": 60,
    "log": "file:/var/log/x.log",
    "spool": "/var/lib/x/spool",
    "capture": "/var/lib/x/captures",
}


def test_everything_comes_back() -> None:
    """What config wrote, run reads."""
    carried = RunContext(VALUES).to_job_env()

    again = run_context(RunnerEnv(carried), [])

    assert list(carried) == [RUN_CONTEXT]
    assert {name: getattr(again, name) for name in VALUES} == VALUES
    assert again.names.key == "4711-0123456789"


@pytest.mark.parametrize("verify", [True, False])
def test_a_switch_stays_a_switch(*, verify: bool) -> None:
    """False comes back as False, and not as a text that is true."""
    carried = RunContext({**VALUES, "tls_verify": verify}).to_job_env()

    assert run_context(RunnerEnv(carried), []).tls_verify is verify


def files(directory: Path) -> tuple[RunnerEnv, list[str]]:
    """Return what a stage gets where config_exec is not registered."""
    (directory / "response.json").write_text(json.dumps(a_payload()))
    (directory / "settings.toml").write_text(
        '[docker]\nhost = "unix:///run/other.sock"\n[log]\ndestination = "none"\n'
    )
    environ = {"JOB_RESPONSE_FILE": str(directory / "response.json")}
    return RunnerEnv(environ), ["--settings", str(directory / "settings.toml")]


def test_without_config_it_is_made_anew(tmp_path: Path) -> None:
    """config_exec is optional for gitlab-runner; the names are the same."""
    env, args = files(tmp_path)

    context = run_context(env, args)

    assert (context.host, context.job_id) == ("unix:///run/other.sock", 4711)
    assert context.key == run_context(*files(tmp_path)).key
    assert TOKEN not in json.dumps(context.to_job_env())


@pytest.mark.parametrize(
    "carried",
    [
        "{",
        "[]",
        "null",
        "{}",
        '{"host": "unix:///x"}',
        json.dumps({**VALUES, "ready_timeout": "x"}),
    ],
)
def test_a_context_of_another_version_is_made_anew(tmp_path: Path, carried: str) -> None:
    """An upgrade may come between two stages of a job."""
    env, args = files(tmp_path)

    context = run_context(RunnerEnv({**env.environ, RUN_CONTEXT: carried}), args)

    assert context.host == "unix:///run/other.sock"


def test_without_anything_the_settings_are_missing() -> None:
    """The sentence names what config.toml needs."""
    with pytest.raises(SettingsError, match="config_args, prepare_args, run_args"):
        run_context(RunnerEnv({}), [])


def test_a_job_cannot_forge_it(tmp_path: Path) -> None:
    """A job's variables carry a prefix, and none of them is looked at."""
    env, args = files(tmp_path)
    forged = RunContext({**VALUES, "key": "another-job"}).to_job_env()[RUN_CONTEXT]

    context = run_context(RunnerEnv({**env.environ, f"CUSTOM_ENV_{RUN_CONTEXT}": forged}), args)

    assert context.key != "another-job"
