"""run: one sub-stage of the job, as a script in the helper or the build container."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import ScriptFailed, ServiceNotReady
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.stages import run
from tests.builders import context_values
from tests.engine.stub import Connection, Received, StubEngine, http, refusal
from tests.hooks import HOOKS, SYSTEM_FAILURE, Runner


@pytest.mark.parametrize("extra", [(), ("build_script",)])
def test_run_without_its_arguments(runner: Runner, extra: tuple[str, ...]) -> None:
    """A call by hand is told that gitlab-runner makes these calls."""
    runner.job_env = json.loads(runner.call("config").stdout)["job_env"]
    done = subprocess.run(
        [str(HOOKS / "run"), *extra],
        cwd=runner.temp,
        env=runner.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == SYSTEM_FAILURE
    assert "Only gitlab-runner can call it, as `run_exec`" in done.stderr


def test_run_without_its_script(runner: Runner) -> None:
    """The sentence has the path."""
    runner.script.unlink()

    assert f"gitlab-runner's script {runner.script} cannot be read" in runner.sentence("run")


def test_run_forgets_an_earlier_exit_code(runner: Runner) -> None:
    """gitlab-runner has one file for all sub-stages, and would read a stale one."""
    runner.exit_code_file.write_text("7\n")

    runner.sentence("run")

    assert not runner.exit_code_file.exists()


Call = Callable[..., tuple[str, bytes]]
"""Calls `run` for a sub-stage whose script ends with a status; returns container and script."""


@pytest.fixture
def call(stub: StubEngine, tmp_path: Path, mocker: MockerFixture) -> Call:
    """Return what calls the stage for a job that has no sidecar."""
    attempt = mocker.patch.object(run, "attempt")
    context = RunContext(context_values(host=stub.host))
    stub.on("GET", "/containers/.*-dind/json", refusal(404, "no such container"))
    script = tmp_path / "script"
    script.write_bytes(b"echo hello\n")

    def call(sub_stage: str, code: int = 0, **values: str) -> tuple[str, bytes]:
        def attempted(
            _place: object, _name: str, _script: bytes, _log: object, wait: Callable[[], None]
        ) -> int:
            wait()
            return code

        attempt.side_effect = attempted
        environ = {f"CUSTOM_ENV_{key}": value for key, value in values.items()}
        environ |= {"TMPDIR": str(tmp_path), "BUILD_EXIT_CODE_FILE": str(tmp_path / "code")}
        env = RunnerEnv({**environ, **context.to_job_env()})
        run.main(env, [str(script), sub_stage], AdministratorLog("run"))
        place, _, sent = attempt.call_args.args[:3]
        return place.container, sent

    return call


@pytest.mark.parametrize("sub_stage", sorted(run.HELPER_SUB_STAGES))
def test_scripts_of_gitlab_runner_run_in_the_helper(call: Call, sub_stage: str) -> None:
    """Git and gitlab-runner are there, and nobody waits for the sidecar."""
    assert call(sub_stage) == ("dind-executor-1-ab-helper", b"echo hello\n")


@pytest.mark.parametrize(
    "sub_stage", ["build_script", "step_script", "after_script", "step_release"]
)
def test_scripts_of_the_author_run_in_the_jobs_image(call: Call, sub_stage: str) -> None:
    """Every sub-stage that gitlab-runner does not predefine is the author's."""
    assert call(sub_stage)[0] == "dind-executor-1-ab-build"


@pytest.mark.parametrize(
    ("sub_stage", "waits"),
    [("get_sources", False), ("build_script", True), ("after_script", False)],
)
def test_who_waits_for_the_sidecar(
    call: Call, stub: StubEngine, sub_stage: str, *, waits: bool
) -> None:
    """The author's scripts need dind; after_script tells of a job that may have lost it."""
    call(sub_stage)

    assert bool(stub.asked("GET", "-dind/json")) is waits


def test_a_script_of_a_job_with_a_proxy_is_changed(call: Call) -> None:
    """A job that sets NO_PROXY itself gets the names of the sidecar added in the script."""
    assert call("build_script")[1] == b"echo hello\n"
    assert call("get_sources", NO_PROXY="a")[1] == b"echo hello\n"
    assert call("build_script", NO_PROXY="a")[1].endswith(b"echo hello\n")


def test_the_exit_code_of_a_script_is_written_down(call: Call, tmp_path: Path) -> None:
    """gitlab-runner reads it from the file that it has named; there is none after a success."""
    with pytest.raises(ScriptFailed) as caught:
        call("build_script", 7)

    assert caught.value.exit_code == 7
    assert (tmp_path / "code").read_text() == "7\n"

    call("build_script")

    assert not (tmp_path / "code").exists()


def test_a_failed_script_beside_a_dind_that_has_ended(
    call: Call, stub: StubEngine, tmp_path: Path
) -> None:
    """That is a system failure, and there is no status: a retry may help."""
    runs = {"State": {"Running": True, "StartedAt": "then"}}
    ended = {"State": {"Running": False, "StartedAt": "then", "ExitCode": 3}}
    stub.on("GET", "/containers/.*-dind/json", http(200, runs), http(200, runs), http(200, ended))
    stub.on("GET", "/containers/.*-dind/logs", http(200))
    notes.leave(str(tmp_path), notes.ANSWERED, b"then")

    with pytest.raises(ServiceNotReady, match="The dind sidecar exited with code 3"):
        call("build_script", 7)

    assert not (tmp_path / "code").exists()


@pytest.mark.parametrize(
    ("left", "runs"),
    [
        ((), False),
        ((notes.OPTIONAL_DIND,), True),
        # an earlier script may have begun something in it
        ((notes.OPTIONAL_DIND, notes.ANSWERED), False),
    ],
)
def test_a_sidecar_that_does_not_come_up(
    call: Call,
    stub: StubEngine,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    left: tuple[str, ...],
    *,
    runs: bool,
) -> None:
    """The script runs without it where no service is listed for it, and no later script waits again."""
    ended = {"State": {"StartedAt": "then", "ExitCode": 3}, "Config": {"Labels": {"a": "b"}}}
    gone = [False]

    def look(connection: Connection, _received: Received) -> None:
        connection.send(refusal(404, "no such container") if gone[0] else http(200, ended))

    def remove(connection: Connection, _received: Received) -> None:
        gone[0] = True
        connection.send(http(204))

    stub.on("GET", "/containers/.*-dind/json", look)
    stub.on("GET", "/containers/.*-dind/logs", http(200))
    stub.on("DELETE", "/containers/.*-dind", remove)
    for name in left:
        notes.leave(str(tmp_path), name, b"then")

    if not runs:
        with pytest.raises(ServiceNotReady, match="exited with code 3"):
            call("build_script")
        return
    call("build_script")
    told = capfd.readouterr().err
    assert told.startswith("WARNING: `docker` is not available in this job, because its Docker-in-")
    assert "did not come up: The dind sidecar exited with code 3." in told

    call("step_release")
    assert capfd.readouterr().err == ""
    assert len(stub.asked("DELETE", "-dind")) == 1
