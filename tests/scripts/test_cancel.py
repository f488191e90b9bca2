"""What ends with a cancelled script, where the engine or the sidecar does not play along."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import Api
from executor.engine.docker import Engine
from executor.scripts import cancel
from executor.scripts.cancel import remove_container, stop_inner_containers
from tests.engine.stub import (
    StubEngine,
    frame,
    http,
    refusal,
)

INSPECTED = http(200, {"Config": {"Labels": {}}})


def test_the_containers_that_were_stopped_are_counted(stub: StubEngine) -> None:
    """Each container is a line; the exec has no terminal, so lines come in frames."""
    stub.on("POST", "/containers/job-dind/exec", http(201, {"Id": "the-exec"}))
    stub.on("POST", "/exec/the-exec/start", http(200, frame(1, b"a\nb\n") + frame(1, b"c\n")))

    assert stop_inner_containers(stub.engine(), "job-dind") == 3

    (asked,) = stub.asked("POST", "/containers/job-dind/exec")
    assert "User" not in asked.json()


@pytest.mark.parametrize(
    "created", [refusal(404, "no such container"), refusal(409, "it is not running"), http(201, [])]
)
def test_without_a_sidecar_there_is_nothing_to_stop(stub: StubEngine, created: bytes) -> None:
    """A job without dind, or one whose dind has ended, is cancelled all the same."""
    stub.on("POST", "/containers/job-dind/exec", created)

    assert stop_inner_containers(stub.engine(), "job-dind") == 0


def test_an_engine_that_is_gone_keeps_no_cancel_from_ending(tmp_path: Path) -> None:
    """There is nobody to ask."""
    engine = Engine(Api(f"unix://{tmp_path}/nothing.sock"))

    remove_container(engine, "job-build")

    assert stop_inner_containers(engine, "job-dind") == 0


def test_the_entrypoint_is_told_before_its_container_goes(stub: StubEngine) -> None:
    """SIGTERM comes first, as the removal would be SIGKILL."""
    stub.on("GET", "/containers/job-build/json", INSPECTED)
    stub.on("POST", "/containers/job-build/stop", http(204))
    stub.on("DELETE", "/containers/job-build", http(204))

    remove_container(stub.engine(), "job-build")

    asked = [f"{each.method} {each.path.partition('?')[0]}" for each in stub.received]
    assert asked.index("POST /containers/job-build/stop") < asked.index(
        "DELETE /containers/job-build"
    )


@pytest.mark.usefixtures("endless_program")
def test_the_stopping_of_inner_containers_has_an_end(
    stub: StubEngine, mocker: MockerFixture
) -> None:
    """The sidecar's files are the job's to change, through its daemon."""
    mocker.patch.object(cancel, "_PATIENCE_SECONDS", 0.3)
    assert cancel.stop_inner_containers(stub.engine(), "job-dind") >= 0


@pytest.mark.usefixtures("endless_program")
def test_a_signal_has_an_end(stub: StubEngine, mocker: MockerFixture) -> None:
    """The shell that signals a script may be the script's own program."""
    mocker.patch.object(cancel, "_SIGNAL_SECONDS", 0.3)
    cancel.signal_script(stub.engine(), "job-build", "TERM")
