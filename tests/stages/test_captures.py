"""The payload of a job that failed, kept for whoever looks into it."""

import json
from pathlib import Path

from executor.commands.plan.command import read_job_of, read_settings_file
from executor.commands.plan.facts import EngineFacts
from executor.commands.plan.given import read_given
from executor.commands.plan.planning import plan_job
from executor.reading import read_inputs
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Variable

SECRET = "hunter2-hunter2"
VARIABLES = (
    Variable("KEY", SECRET, public=False, masked=True),
    Variable("IN_IT", f"https://ci:{SECRET}@example.com"),
)


def test_a_failed_job_is_kept_and_a_good_one_is_not(start: Start, tmp_path: Path) -> None:
    """It has no secret, and what it would get can be planned from it."""
    changes = {"log": {"capture": "failed"}, "sweep": {"state_dir": str(tmp_path)}}
    bad = start(JobRequest(variables=VARIABLES), changes)
    bad.up()
    bad.script("true").passed()
    assert not (tmp_path / "captures").exists()
    assert bad.script(f"echo {SECRET}; exit 7").code == 1
    bad.cleanup().passed()

    (kept,) = (tmp_path / "captures").iterdir()
    text = kept.read_text()
    assert kept.name.startswith(f"{bad.id}-")
    assert SECRET not in text
    assert bad.request.token not in text
    assert json.loads(text)["failure"]["script_exit_code"] == 7
    _, settings = read_settings_file(str(bad.settings))
    basics, env, said = read_job_of(read_given(kept, {}), settings, {})
    assert said == ()
    assert (
        plan_job(read_inputs(env, basics), EngineFacts()).containers["build"].image
        == "alpine:latest"
    )


def test_what_prepare_refuses_is_kept(start: Start, tmp_path: Path) -> None:
    """The sentence goes with it."""
    changes: dict[str, dict[str, object]] = {
        "log": {"capture": "failed"},
        "sweep": {"state_dir": str(tmp_path)},
        "docker": {"allowed_images": ["ruby:*"]},
    }
    job = start(JobRequest(variables=VARIABLES), changes)
    job.config().passed()
    assert job.prepare().code == 1

    (kept,) = (tmp_path / "captures").iterdir()
    failure = json.loads(kept.read_text())["failure"]
    assert failure["stage"] == "prepare"
    assert "alpine" in failure["sentence"]
