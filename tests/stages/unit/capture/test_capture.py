"""A job that failed, captured: nothing secret is in it, and nothing of it hinders the job."""

import json
from pathlib import Path
from typing import Any

import pytest

from executor.errors import Cancelled, PolicyViolation, ScriptFailed
from executor.log import AdministratorLog
from executor.runner.captures import MARK, placeholders_in
from executor.runner.environ import RunnerEnv
from executor.stages.capture import capture, forget
from tests.stages.unit.capture.planted import Planted, planted, spellings

PLANTED = planted()
"""Made once: every test reads it."""


class Failing:
    """A job whose stages may fail."""

    def __init__(self, directory: Path, job: Planted = PLANTED) -> None:
        self.directory = directory / "captures"
        (directory / "home" / ".docker").mkdir(parents=True)
        (directory / "home" / ".docker" / "config.json").write_text(job.home_logins)
        response = directory / "response.json"
        response.write_text(json.dumps(job.payload))
        self.env = RunnerEnv(
            {
                "HOME": str(directory / "home"),
                "JOB_RESPONSE_FILE": str(response),
                **{f"CUSTOM_ENV_{key}": value for key, value in job.values.items()},
            }
        )

    def log(self, stage: str) -> AdministratorLog:
        log = AdministratorLog(stage)
        log.capture = str(self.directory)
        log.open("none:", 4711, 42, key="4711-0123456789")
        return log

    def fails(self, stage: str, error: Exception, *args: str) -> AdministratorLog:
        log = self.log(stage)
        capture(self.env, list(args), log, error)
        return log

    @property
    def text(self) -> str:
        return (self.directory / "4711-0123456789.json").read_text()

    @property
    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


@pytest.fixture
def failing(tmp_path: Path) -> Failing:
    """Return a job with secrets everywhere."""
    return Failing(tmp_path)


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the capture of a job with secrets everywhere."""
    job = Failing(tmp_path_factory.mktemp("captured"))
    error = PolicyViolation(f"no {PLANTED.secrets['masked']} here")
    log = job.fails("prepare", error)
    assert [each["event"] for _, each in log.noted] == ["payload captured"]
    return job.text


def test_enough_is_planted() -> None:
    """There are more than forty secrets and places."""
    in_forms = [each for each in PLANTED.payload["variables"] if each["key"] not in PLANTED.secrets]
    assert len(PLANTED.secrets) + len(in_forms) > 40
    text = json.dumps([PLANTED.payload, PLANTED.values], ensure_ascii=False) + PLANTED.home_logins
    for value in PLANTED.secrets.values():
        in_json = json.dumps(json.dumps(json.dumps(value)))[7:-7]
        assert in_json in json.dumps(text) or any(
            each in text for each in spellings(value).values()
        )


@pytest.mark.parametrize("kind", PLANTED.secrets)
def test_no_planted_secret_is_captured(captured: str, kind: str) -> None:
    """Neither as it is nor in any form."""
    value = PLANTED.secrets[kind]

    found = [name for name, each in spellings(value).items() if len(each) >= 4 and each in captured]

    assert found == []


def test_where_the_sources_are_is_known(tmp_path: Path) -> None:
    """GitLab calls the variable private that has the address with the job's login."""
    address = PLANTED.payload["git_info"]["repo_url"]
    own = {"key": "CI_REPOSITORY_URL", "value": address, "public": False, "masked": False}
    variables = [*PLANTED.payload["variables"], own]
    failing = Failing(
        tmp_path, PLANTED._replace(payload={**PLANTED.payload, "variables": variables})
    )

    failing.fails("run", ScriptFailed(1), "x", "build_script")

    assert failing.kept["payload"]["git_info"]["repo_url"] == "placeholder-of-CI_REPOSITORY_URL"
    assert failing.kept["repository"] == "https://gitlab.example.com/g/p.git"


def test_what_is_left_can_be_planned(captured: str) -> None:
    """Names, keys and what is public stay, and each placeholder is named."""
    found = json.loads(captured)

    assert found[MARK] == 1
    assert found["failure"]["stage"] == "prepare"
    assert found["failure"]["is_build_failure"]
    assert found["failure"]["sentence"] == "no placeholder-of-MASKED here"
    keys = [each["key"] for each in found["payload"]["variables"]]
    assert keys == [each["key"] for each in PLANTED.payload["variables"]]
    assert found["values"]["CI_PROJECT_DIR"] == "/builds/g/p"
    assert found["values"]["CI_RUNNER_SHORT_TOKEN"] == "t3stt0ken"
    assert found["values"]["REFERRING"] == "placeholder-of-MASKED and more"
    assert found["payload"]["git_info"]["repo_url"] == (
        "https://gitlab-ci-token:placeholder-of-CI_JOB_TOKEN@gitlab.example.com/g/p.git"
    )
    assert found["payload"]["credentials"][0]["username"] == "gitlab-ci-token"
    assert found["payload"]["steps"][0]["script"][0] == "echo placeholder-of-MASKED"
    assert set(found["placeholders"]) == set(
        placeholders_in(json.dumps(found["payload"]) + json.dumps(found["values"]))
    )
    assert {"MASKED", "KUBECONFIG", "DOCKER_AUTH_CONFIG"} <= set(found["placeholders"])


def test_only_the_runners_user_may_read_it(failing: Failing) -> None:
    """The file and its directory are its own."""
    failing.fails("run", ScriptFailed(3), "/script", "build_script")

    file = failing.directory / "4711-0123456789.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert failing.directory.stat().st_mode & 0o777 == 0o700
    assert failing.kept["failure"]["script_exit_code"] == 3
    assert failing.kept["failure"]["sub_stage"] == "build_script"


def test_what_comes_after_the_script_replaces_nothing(failing: Failing) -> None:
    """The failure of the script stays; a later one stands where the script had none."""
    failing.fails("run", ScriptFailed(5), "/s", "after_script")
    assert failing.kept["failure"]["script_exit_code"] == 5

    failing.fails("run", ScriptFailed(3), "/s", "build_script")
    failing.fails("run", ScriptFailed(4), "/s", "after_script")
    failing.fails("run", ScriptFailed(4), "/s", "upload_artifacts_on_failure")

    assert failing.kept["failure"]["script_exit_code"] == 3


def test_neither_a_cancel_nor_cleanup_is_captured(failing: Failing) -> None:
    """Nobody wants to run those again."""
    failing.fails("run", Cancelled("ended"), "/s", "build_script")
    failing.fails("cleanup", PolicyViolation("left"))

    assert not failing.directory.exists()


def test_a_job_that_succeeds_after_all_leaves_nothing(failing: Failing) -> None:
    """A second attempt may help."""
    failing.fails("prepare", PolicyViolation("no"))

    forget(failing.log("cleanup"))
    forget(failing.log("cleanup"))

    assert [*failing.directory.iterdir()] == []


@pytest.mark.parametrize("fault", ["no payload", "no JSON", "a directory of others", "no place"])
def test_whatever_is_wrong_is_the_administrators_to_know(failing: Failing, fault: str) -> None:
    """The job hears nothing of it, and the log says which kind of error it was."""
    response = Path(failing.env.job_response_file)
    if fault == "no payload":
        response.unlink()
    elif fault == "no JSON":
        response.write_text("{")
    elif fault == "a directory of others":
        failing.directory.mkdir(mode=0o755)
        failing.directory.chmod(0o755)
    else:
        failing.directory.write_text("")

    log = failing.fails("prepare", PolicyViolation("no"))

    (event,) = (each for _, each in log.noted)
    assert event["event"] == "payload not captured"
    assert event["reason"]


def test_a_variable_of_the_job_with_a_public_name(tmp_path: Path) -> None:
    """Only gitlab-runner's own value is public."""
    name, value = "CI_RUNNER_SHORT_TOKEN", "what nobody may see"
    variables = [{"key": name, "value": value, "public": False, "masked": False}]
    payload = {**PLANTED.payload, "variables": [*PLANTED.payload["variables"], *variables]}
    values = {**PLANTED.values, name: value}
    job = Failing(tmp_path, PLANTED._replace(payload=payload, values=values))

    job.fails("prepare", PolicyViolation("no"))

    assert job.kept["values"][name] == f"placeholder-of-{name}"
    assert value not in job.text
