"""The summary that the last `run` call prints."""

import json
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import Cancelled
from executor.log import AdministratorLog
from executor.names import JobNames
from executor.runner import notes
from executor.stages import summary as module
from executor.stages.summary import show_summary
from tests.engine.stub import StubEngine, http, refusal

NAMES = JobNames("1-ab")
INSPECT = "/containers/.*-dind/json"


def note(temp_dir: Path, dind: float | None = None, pulls: object = (("a", 1.5, 7),)) -> None:
    """Leave what prepare has noted."""
    costs = {"pulls": pulls, "dind_started": dind}
    notes.leave(str(temp_dir), notes.COSTS, json.dumps(costs).encode())


def show(stub: StubEngine, temp_dir: Path) -> list[str]:
    """Show the summary; return the events that this has noted."""
    log = AdministratorLog("run")
    show_summary(stub.engine(), NAMES, str(temp_dir), log)
    return [str(event["event"]) for _, event in log.noted]


def test_a_job_without_a_sidecar_asks_nobody(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its pulls are what there is to tell."""
    note(tmp_path)

    assert show(stub, tmp_path) == ["summary shown"]

    out, err = capfd.readouterr()
    assert (out.count("\n"), err) == (2, "")
    assert "\nPulled a in 1.5 s (7 bytes).\n" in out
    assert stub.received == []


@pytest.mark.parametrize(
    "answer", [http(200, {"Id": "c0ffee", "State": {}}), refusal(500, "no"), b""]
)
def test_a_sidecar_of_which_nothing_is_known(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str], answer: bytes
) -> None:
    """The pulls are told all the same."""
    note(tmp_path, dind=0.46)
    stub.on("GET", INSPECT, answer)

    assert show(stub, tmp_path) == ["summary shown"]

    assert "Pulled a in 1.5 s (7 bytes).\n" in capfd.readouterr().out


def test_nothing_to_tell(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A job that pulls nothing, without a sidecar, gets no empty section."""
    note(tmp_path, pulls=())

    show(stub, tmp_path)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("left", [b"", b"[", b"[]", b'{"pulls": 5}', b'{"pulls": [[1]]}'])
def test_a_note_that_is_none(
    stub: StubEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str], left: bytes
) -> None:
    """Silence for the job, a word for the administrator."""
    notes.leave(str(tmp_path), notes.COSTS, left)

    assert show(stub, tmp_path) == ["summary not shown"]

    assert capfd.readouterr() == ("", "")


def test_a_cancel_is_passed_on(stub: StubEngine, tmp_path: Path, mocker: MockerFixture) -> None:
    """It ends the stage as it ends everything."""
    note(tmp_path)
    mocker.patch.object(module, "summary", side_effect=Cancelled("now"))

    with pytest.raises(Cancelled):
        show(stub, tmp_path)
