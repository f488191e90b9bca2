"""The steps of a prepare call, their notes, and the end after which none begins."""

import json
from pathlib import Path

import pytest

from executor.errors import Cancelled, EngineUnavailable
from executor.log import AdministratorLog
from executor.stages.prepare.steps import Steps


def noted(log: AdministratorLog, path: Path) -> list[dict[str, object]]:
    """Return what is in the administrator's log, without the stage's own line."""
    log.close("success")
    return [json.loads(line) for line in path.read_text().splitlines()][:-1]


def test_a_step_returns_its_result_and_is_noted(tmp_path: Path) -> None:
    """The event has the seconds that it took, and the facts that it is given."""
    log = AdministratorLog("prepare")
    log.open(f"file:{tmp_path}/log", 1, 2)

    assert Steps(log).do("container created", lambda: 7, container="c") == 7

    (event,) = noted(log, tmp_path / "log")
    assert (event["event"], event["container"]) == ("container created", "c")
    assert isinstance(event["seconds"], float)


def test_a_step_that_fails_is_not_noted_as_done(tmp_path: Path) -> None:
    """Its error is passed on as it is."""
    log = AdministratorLog("prepare")
    log.open(f"file:{tmp_path}/log", 1, 2)

    def fail() -> None:
        raise EngineUnavailable("gone")

    with pytest.raises(EngineUnavailable, match="gone"):
        Steps(log).do("network created", fail)

    assert noted(log, tmp_path / "log") == []


def test_after_the_end_nothing_begins() -> None:
    """A step that a thread reaches later is refused, and nothing is under way then."""
    steps = Steps(AdministratorLog("prepare"))

    assert steps.close()

    with pytest.raises(Cancelled):
        steps.do("container created", lambda: pytest.fail("it began"))
    with pytest.raises(Cancelled), steps.passing():
        pytest.fail("it began")


def test_an_engine_without_an_answer_may_still_be_at_it() -> None:
    """cleanup must know that something may appear, so the end tells that it cannot be sure."""
    steps = Steps(AdministratorLog("prepare"))

    def fail() -> None:
        raise EngineUnavailable("no answer")

    with pytest.raises(EngineUnavailable):
        steps.do("network created", fail)

    assert not steps.close()
