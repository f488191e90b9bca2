"""The end of a sidecar that listens and never answers."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.runner import notes
from executor.services import dind_watch
from executor.services.dind_watch import end_silent
from tests.engine.stub import StubEngine, chunked, frame, http, refusal
from tests.services.sidecars import STARTED, ended

SIDECAR = "/containers/job-dind/json"


@pytest.fixture
def listened(stub: StubEngine, tmp_path: Path) -> str:
    """Return the temporary directory of a job with a script beside a sidecar that listened."""
    stub.on("GET", SIDECAR, http(200, {"State": {"Running": True, "StartedAt": STARTED}}))
    stub.on("GET", "/containers/job-dind/logs", chunked(frame(2, b"it hangs\n")))
    stub.on("POST", "/containers/job-dind/kill", http(204))
    notes.leave(str(tmp_path), notes.DIND_STARTED, b"0.0")
    notes.leave(str(tmp_path), notes.LISTENED, STARTED.encode())
    return str(tmp_path)


def test_a_sidecar_whose_time_is_over(
    stub: StubEngine, listened: str, mocker: MockerFixture
) -> None:
    """It is killed, so that whoever waits for it fails; why is noted, and nobody has used it."""
    mocker.patch.object(dind_watch, "_LEAST_SECONDS", 0.0)
    mocker.patch.object(dind_watch, "answers", return_value=False)

    end_silent(stub.engine(), "job-dind", listened, 0)

    told = notes.read(listened, notes.WITHOUT_DIND) or b""
    assert told.startswith(b"The dind sidecar did not answer within 0 seconds")
    assert told.endswith(b"  it hangs")
    assert not notes.is_left(listened, notes.LISTENED)
    assert stub.asked("POST", "/kill")


def test_a_sidecar_that_is_asked_when_its_time_is_over(
    stub: StubEngine, listened: str, mocker: MockerFixture
) -> None:
    """On a loaded host, the tenth of a second that would be left is no time to answer."""
    asked = mocker.patch.object(dind_watch, "answers", return_value=True)

    end_silent(stub.engine(), "job-dind", listened, 0)

    (_, _, _, left, _) = asked.call_args.args
    assert left > 1


def test_a_sidecar_that_answers_at_last(
    stub: StubEngine, listened: str, mocker: MockerFixture
) -> None:
    """That is noted, and it is left alone."""
    mocker.patch.object(dind_watch, "answers", return_value=True)

    end_silent(stub.engine(), "job-dind", listened, 0)

    assert notes.read(listened, notes.ANSWERED) == STARTED.encode()
    assert not stub.asked("POST", "/kill")


@pytest.mark.parametrize("answer", [ended(ExitCode=1), refusal(404, "no such container"), b""])
def test_a_sidecar_that_is_gone(stub: StubEngine, listened: str, answer: bytes) -> None:
    """There is nothing to end, and what became of it is told to a script that fails."""
    stub.on("GET", SIDECAR, answer)

    end_silent(stub.engine(), "job-dind", listened, 0)

    assert not stub.asked("POST", "/kill")
    assert not notes.is_left(listened, notes.WITHOUT_DIND)
