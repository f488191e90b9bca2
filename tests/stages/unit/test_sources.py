"""What becomes of a slot's sources after a job; tests/gitlab and tests/load break real ones."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import Cancelled
from executor.host.sources import recall, remember
from executor.log import AdministratorLog
from executor.notation.sources import SourcesRecord
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.runner.sources_note import SourcesNote
from executor.scripts.attempts import Place
from executor.stages import sources
from tests.builders import a_payload
from tests.engine.stub import StubEngine, http, refusal

FILE = "sources-x.json"
NONE, ONCE, DUE = SourcesRecord(), SourcesRecord(failures=1), SourcesRecord(failures=2)
TRIAL = DUE._replace(old=(1,))

After = Callable[..., SourcesRecord]
"""Tells of a script that ended so; returns the record afterwards."""


@pytest.fixture
def after(stub: StubEngine, tmp_path: Path, mocker: MockerFixture) -> After:
    """Return what tells how it went to fetch, on sources with this record."""

    def call(
        code: int | None,
        record: SourcesRecord = NONE,
        *,
        generation: int = 0,
        answers: bool | Exception = True,
        ran_seconds: float = 10.0,
        sub_stage: str = "get_sources",
    ) -> SourcesRecord:
        payload = tmp_path / "response.json"
        payload.write_text(json.dumps(a_payload()))
        remember(str(tmp_path), FILE, record)
        began = time.monotonic() - ran_seconds
        note = SourcesNote(str(tmp_path), FILE, "slot", True, generation, record, began, 3600)  # noqa: FBT003
        note.leave(str(tmp_path))
        asked = mocker.patch.object(sources, "gitlab_answers", side_effect=[answers])
        env = RunnerEnv({"TMPDIR": str(tmp_path), "JOB_RESPONSE_FILE": str(payload)})
        place = Place(stub.engine(), env, "job-helper", helps=True)
        sources.heed(place, sub_stage, b"git fetch", AdministratorLog("run"), code)
        assert asked.called or code == 0 or code is None
        return recall(str(tmp_path), FILE)

    return call


def test_two_failures_in_a_row(after: After, capfd: pytest.CaptureFixture[str]) -> None:
    """The second one says what the next job does."""
    assert after(1) == ONCE
    assert capfd.readouterr().err == ""
    assert after(128, ONCE) == DUE
    assert "The next job of the slot clones" in capfd.readouterr().err


def test_a_failure_in_between_counts_no_more(after: After) -> None:
    """A job that fetches has proved the sources; preparing for it proves nothing."""
    assert after(0, ONCE, sub_stage="prepare_script") == ONCE
    assert after(1, ONCE, sub_stage="prepare_script") == DUE
    assert after(0, ONCE) == NONE


def test_a_gitlab_that_is_away(after: After, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a failure nor a timeout counts, and nothing is said."""
    assert after(1, ONCE, answers=False) == ONCE
    assert after(None, ONCE, answers=False, ran_seconds=3599) == ONCE
    assert after(1, TRIAL, generation=1, answers=False) == TRIAL
    assert capfd.readouterr() == ("", "")


def test_a_timeout_counts_at_once(after: After) -> None:
    """gitlab-runner ends a script that hangs some seconds before the time is over, as we count it."""
    assert after(None, ran_seconds=3600) == DUE
    assert after(None, ran_seconds=3590) == DUE


def test_a_cancel_never_counts(after: After) -> None:
    """Whoever cancels a job, or stops the runner, has other reasons; GitLab is not even asked."""
    assert after(None, ONCE, answers=AssertionError("it was asked")) == ONCE
    assert after(None, ONCE, answers=AssertionError("it was asked"), ran_seconds=3000) == ONCE


def test_an_end_while_gitlab_is_asked(after: After) -> None:
    """The stage ends, and nothing counts."""
    with pytest.raises(Cancelled):
        after(1, answers=Cancelled("gitlab-runner ended the stage"))


def test_a_clone_that_succeeds(after: After) -> None:
    """From now on the slot has these sources."""
    assert after(0, TRIAL, generation=1) == SourcesRecord(1, old=(0,))


def test_a_clone_that_fails(after: After, capfd: pytest.CaptureFixture[str]) -> None:
    """The old sources stay, and the fresh volume goes."""
    assert after(1, TRIAL, generation=1) == SourcesRecord(trials=1, old=(1,))
    assert "They stay." in capfd.readouterr().err


def test_a_second_attempt_in_one_job(after: After, tmp_path: Path) -> None:
    """What counts is how the last attempt of a job went, also where nothing had failed before it."""
    after(1, ONCE)
    assert after(0, ONCE) == NONE
    notes.forget(str(tmp_path), notes.DOUBTFUL_SOURCES)

    after(1)

    # `run` comes here after the success, too.
    assert notes.is_left(str(tmp_path), notes.DOUBTFUL_SOURCES)


@pytest.mark.parametrize(
    ("answer", "left"),
    [(http(204), ()), (refusal(404, "no such volume"), ()), (refusal(409, "in use"), (0,))],
)
def test_old_sources_are_removed(
    stub: StubEngine, tmp_path: Path, answer: bytes, left: tuple[int, ...]
) -> None:
    """What cannot be removed is tried again by the next cleanup; what is in use is never asked for."""
    record = SourcesRecord(1, old=(0,))
    remember(str(tmp_path), FILE, record)
    note = SourcesNote(str(tmp_path), FILE, "slot", True, 1, TRIAL, 0.0, 3600)  # noqa: FBT003
    note.leave(str(tmp_path))
    stub.on("DELETE", "/volumes/", answer)

    sources.remove_old(
        stub.engine(), RunnerEnv({"TMPDIR": str(tmp_path)}), AdministratorLog("cleanup")
    )

    assert [each.path.rpartition("/")[2] for each in stub.received] == ["slot"]
    assert recall(str(tmp_path), FILE) == record._replace(old=left)


def test_directories_of_the_host_stay(
    stub: StubEngine, after: After, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever clones into a fresh one says where the old one is."""
    after(0, TRIAL, generation=1)
    note = SourcesNote(str(tmp_path), FILE, "/srv/slot", False, 1, TRIAL, 0.0, 3600)  # noqa: FBT003
    note.leave(str(tmp_path))
    env = RunnerEnv({"TMPDIR": str(tmp_path)})

    place = Place(stub.engine(), env, "job-helper", helps=True)
    sources.heed(place, "get_sources", b"", AdministratorLog("run"), 0)
    sources.remove_old(stub.engine(), env, AdministratorLog("cleanup"))

    assert "/srv/slot on the Docker Engine's host" in capfd.readouterr().err
    assert stub.received == []
