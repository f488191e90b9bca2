"""cleanup: removes everything that carries the job's label."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import EngineRefused, EngineUnavailable
from executor.host.sources import remember
from executor.log import AdministratorLog
from executor.notation.sources import SourcesRecord
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.runner.sources_note import SourcesNote
from executor.stages import cleanup
from tests.builders import context_values
from tests.engine.stub import StubEngine, http, refusal

CONTAINER = {"Id": "c1", "Names": ["/dind-executor-1-ab-build"]}

Clean = Callable[[], None]


@pytest.fixture
def clean(stub: StubEngine, tmp_path: Path) -> Clean:
    """Return what calls the stage on an engine that has nothing of the job."""
    context = RunContext(context_values(host=stub.host))
    env = RunnerEnv({"TMPDIR": str(tmp_path), **context.to_job_env()})
    stub.on("GET", "/(containers|networks|volumes)", http(200, []))
    return lambda: cleanup.main(env, [], AdministratorLog("cleanup"))


def test_nothing_is_left_of_nothing(clean: Clean, stub: StubEngine, tmp_path: Path) -> None:
    """Cleanup looks for what has the label of the job, and removes nothing else."""
    clean()

    assert {each.method for each in stub.received} == {"GET"}
    assert all("dind-executor.job%3D1-ab" in each.path for each in stub.received)
    assert notes.is_left(str(tmp_path), notes.OVER)


def test_what_is_left_is_named(clean: Clean, stub: StubEngine) -> None:
    """The sentence has the engine's reason, and the label to remove the rest by."""
    stub.on("GET", "/containers/json", http(200, [CONTAINER]))
    stub.on("DELETE", "/containers/", refusal(500, "device busy"))

    with pytest.raises(EngineRefused) as caught:
        clean()

    for word in ("device busy", "dind-executor.job=1-ab"):
        assert word in str(caught.value)


def test_an_engine_that_was_never_reached_is_not_waited_for(
    clean: Clean, stub: StubEngine, mocker: MockerFixture
) -> None:
    """A job of which nothing was made ends at once where the engine does not answer."""
    stub.on("GET", "/(containers|networks|volumes)", b"")
    pauses = mocker.patch("executor.engine.removal.time.sleep")

    with pytest.raises(EngineUnavailable, match="could not remove everything"):
        clean()

    assert pauses.call_count <= 1


def test_an_engine_that_lists_nothing_has_answered(clean: Clean, stub: StubEngine) -> None:
    """It is not away, and another remedy is for it."""
    stub.on("GET", "/(containers|networks|volumes)", refusal(500, "database is locked"))

    with pytest.raises(EngineRefused, match="database is locked"):
        clean()


def test_what_a_killed_prepare_asked_for_last_is_waited_for(
    clean: Clean, stub: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Cleanup looks again until nothing has appeared for a while, which is made short here."""
    mocker.patch.object(cleanup, "_SETTLE_SECONDS", 1.0)
    notes.leave(str(tmp_path), notes.UNFINISHED)
    started = time.monotonic()

    clean()

    assert time.monotonic() - started >= 1
    assert len(stub.asked("GET", "/containers/json")) > 1


def test_sources_that_were_given_up_go_with_the_job(
    clean: Clean, stub: StubEngine, tmp_path: Path
) -> None:
    """Only what the slot's record calls old, and only once nothing of the job is left."""
    record = SourcesRecord(1, old=(0,))
    remember(str(tmp_path), "sources-x.json", record)
    note = SourcesNote(str(tmp_path), "sources-x.json", "slot", True, 1, record, 0.0, 60)  # noqa: FBT003
    stub.on("DELETE", "/volumes/slot", http(204))

    clean()
    assert stub.asked("DELETE", "/") == []

    note.leave(str(tmp_path))
    clean()

    assert stub.received[-1].path.endswith("/volumes/slot")
    assert len(stub.asked("DELETE", "/")) == 1
