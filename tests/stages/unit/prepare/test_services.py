"""The waiting for a job's services."""

from pathlib import Path

import pytest

from executor.log import AdministratorLog
from executor.services.health import HealthCheck
from executor.stages.prepare.services import Waiting
from executor.tasks import Task
from tests.engine.stub import http, stub_engine

NAME = "dind-executor-1-ab-service-0"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (0, "Waiting for services to be up and running (timeout 30 seconds)...\n"),
        (5, "Waiting for services to be up and running (timeout 5 seconds)...\n"),
        (-1, ""),
    ],
)
def test_how_long_a_service_is_waited_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], setting: int, said: str
) -> None:
    """`wait_for_services_timeout` says it; 0 is the Docker executor's default."""
    running = {"State": {"Running": True, "ExitCode": 0}, "NetworkSettings": {"Networks": {}}}
    done = Task(lambda: None)
    with stub_engine(tmp_path) as stub:
        stub.on("GET", "/containers/.*/json", http(200, running))
        log = AdministratorLog("prepare")
        waiting = Waiting(stub.engine(), log, setting, "helper", done, in_reach=True)
        waiting.wait_for(lambda: HealthCheck(NAME, "postgres:16"), done)
        waiting.announce()
        waiting.finish()

    assert capfd.readouterr() == (said, "")
