"""What a job's last `run` call does beside its script."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.stages import ending
from executor.stages.ending import run_last
from tests.builders import context_values
from tests.engine.stub import Connection, Received, StubEngine, refusal
from tests.patience import LONGEST_SECONDS

Said = list[str]
"""What the engine was asked and told, in order, and the script between."""


@pytest.fixture
def last(stub: StubEngine, tmp_path: Path, mocker: MockerFixture) -> Callable[[], Said]:
    """Return what runs the last script of a job without a sidecar."""
    said: Said = []
    told = threading.Semaphore(0)

    def disconnect(_connection: Connection, received: Received) -> None:
        said.append(f"{received.json()['Container']} leaves")
        told.release()

    def inspect(connection: Connection, _received: Received) -> None:
        said.append("sidecar asked")
        connection.send(refusal(404, "no such container"))

    def script(*_: object) -> int:
        assert told.acquire(timeout=LONGEST_SECONDS)
        said.append("script")
        return 3

    stub.on("POST", "/networks/dind-executor-1-ab/disconnect", disconnect)
    stub.on("GET", "/containers/.*-dind/json", inspect)
    mocker.patch.object(ending, "run_sub_stage", script)
    context = RunContext(context_values(host=stub.host))
    env = RunnerEnv({"TMPDIR": str(tmp_path), **context.to_job_env()})

    def call() -> Said:
        log = AdministratorLog("run")
        assert run_last(stub.engine(), context, env, "cleanup_file_variables", b"", log) == 3
        for _ in range(2):
            assert told.acquire(timeout=LONGEST_SECONDS)
        return said

    return call


def test_the_containers_begin_to_leave_the_network(last: Callable[[], Said]) -> None:
    """The build container at once, the others after the script; cleanup need not wait for that then."""
    first, script, *rest = last()

    assert (first, script) == ("dind-executor-1-ab-build leaves", "script")
    assert sorted(rest) == ["dind-executor-1-ab-dind leaves", "dind-executor-1-ab-helper leaves"]


def test_the_sidecar_is_asked_for_the_summary_before(
    last: Callable[[], Said], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The engine tells nothing of a container that is leaving a network."""
    costs = {"pulls": [["a", 1.5, 7]], "dind_started": 1.5}
    notes.leave(str(tmp_path), notes.COSTS, json.dumps(costs).encode())

    said = last()

    assert said.index("sidecar asked") < said.index("dind-executor-1-ab-dind leaves")
    assert "Pulled a in 1.5 s" in capfd.readouterr().out


def test_the_containers_leave_the_network_of_their_slot(
    stub: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Where a note names it, that is the network that they are on."""
    left = threading.Semaphore(0)

    def disconnect(_connection: Connection, _received: Received) -> None:
        left.release()

    stub.on("POST", "/networks/abc/disconnect", disconnect)
    mocker.patch.object(ending, "run_sub_stage", return_value=0)
    notes.leave(str(tmp_path), notes.NETWORK, b"abc")
    context = RunContext(context_values(host=stub.host))
    env = RunnerEnv({"TMPDIR": str(tmp_path), **context.to_job_env()})
    log = AdministratorLog("run")

    assert run_last(stub.engine(), context, env, "cleanup_file_variables", b"", log) == 0
    assert all(left.acquire(timeout=30) for _ in range(3))
