"""What is left of a script that gitlab-runner has cancelled."""

from pathlib import Path

import pytest

from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.stages.cancelled import end_cancelled
from executor.stages.context import engine_of
from tests.builders import context_values
from tests.engine.stub import StubEngine, http, refusal


def test_the_build_container_goes(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is stopped and removed, a note says so, and nothing is said of a sidecar that is not there."""
    context = RunContext(context_values(host=stub.host))
    env = RunnerEnv({"TMPDIR": str(tmp_path)})
    stub.on("POST", "/containers/.*/stop", http(204))
    stub.on("GET", "/containers/.*/json", http(200, {"Config": {"Labels": {}}}))
    stub.on("DELETE", "/containers/", http(204))
    stub.on("POST", "/containers/.*-dind/exec", refusal(404, "no such container"))

    end_cancelled(engine_of(context), context, env, AdministratorLog("run"))

    assert notes.is_left(str(tmp_path), notes.CANCELLED)
    assert any(each.method == "DELETE" for each in stub.received)
    assert capfd.readouterr().out == ""
