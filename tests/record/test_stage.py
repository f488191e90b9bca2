"""The record of a stage: its times, closed words and numbers, and no text of anybody's."""

import errno
import json
import stat
import time
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor import cli
from executor.errors import (
    Cancelled,
    ImageUnavailable,
    RegistryDown,
    ScriptFailed,
)
from executor.log import AdministratorLog
from executor.record.stage import MOST_BYTES, _born, leave, line, record, short_image
from executor.runner.environ import RunnerEnv
from tests.record.samples import KEY, a_stage, left, note

DIGEST = "sha256:" + "d" * 64


def told(
    log: AdministratorLog, seconds: float = 5.0, error: Exception | None = None
) -> dict[str, object]:
    """Return the record of a stage that ends after some seconds."""
    return record(log, error, 100.0 + seconds, 2000.0)


def things(log: AdministratorLog) -> list[dict[str, object]]:
    """Return what a stage did, by its record."""
    did = told(log)["did"]
    assert isinstance(did, list)
    return did


def test_a_record_says_which_job_and_stage_and_when() -> None:
    """The times are those of the stage's beginning: one to order jobs by, one to place bars by."""
    log = a_stage("run", step="build_script")

    found = told(log)

    assert found.pop("start") is not None
    assert found == {
        "v": 1,
        "at": 1995.0,
        "clock": 100.0,
        "job": 4711,
        "project": 42,
        "key": KEY,
        "stage": "run",
        "step": "build_script",
        "outcome": "success",
        "seconds": 5.0,
        "did": [],
    }


def test_what_was_done_stands_in_the_order_of_its_beginnings() -> None:
    """Each thing has its beginning and end in seconds from the stage's own."""
    log = a_stage()
    names = f"dind-executor-{KEY}"
    note(log, 1.0, "network created", seconds=0.25)
    note(log, 3.0, "image pulled", seconds=2.5, image="docker:28", digest=DIGEST, bytes=5)
    note(log, 3.5, "container started", seconds=0.5, container=f"{names}-dind")
    note(log, 4.0, "service not up", container=f"{names}-service-1", error="no port")

    assert things(log) == [
        {"what": "pull", "from": 0.5, "to": 3.0, "image": "docker:28", "bytes": 5},
        {"what": "network", "from": 0.75, "to": 1.0},
        {"what": "start", "from": 3.0, "to": 3.5, "container": "dind"},
        {"what": "service_not_up", "from": 4.0, "container": "service-1"},
    ]


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (None, "success", None),
        (ScriptFailed(3), "script_failure", "script"),
        (Cancelled("x"), "cancelled", "cancelled"),
        (ImageUnavailable("x"), "build_failure", "image"),
        (RegistryDown("x"), "system_failure", "registry_down"),
        (ValueError("x"), "error", "unexpected"),
    ],
)
def test_how_a_stage_ended(error: Exception | None, outcome: str, reason: str | None) -> None:
    """The word of the error's class, and never its text."""
    found = told(a_stage(), error=error)

    assert (found["outcome"], found.get("reason")) == (outcome, reason)


def test_words_that_anybody_may_choose_are_told_as_others() -> None:
    """A sub-stage that gitlab-runner adds one day, and a status that a job's variable claims."""
    found = told(a_stage("run", step="step_$(id)", result="hunter2", gitlab="x" * 999))

    assert found["step"] == "other"
    assert "result" not in found
    assert len(str(found["gitlab"])) == 200


@pytest.mark.parametrize("status", ["success", "failed", "canceled", "timedout"])
def test_cleanup_knows_how_the_job_ended(status: str) -> None:
    """The record has gitlab-runner's own word for it."""
    assert told(a_stage("cleanup", result=status))["result"] == status


def test_no_text_of_an_event_gets_into_a_record() -> None:
    """Neither of an event that is known, nor of one that is not, nor where a number is expected."""
    log = a_stage()
    log.hide(["hunter2"])
    for name in ("image pulled", "container lost", "service not up", "stage failed", "anything"):
        note(
            log,
            1.0,
            name,
            seconds=0.5,
            image="registry.example.com/hunter2/app:hunter2",
            error="hunter2",
            container="hunter2",
            reason="hunter2",
            policy="hunter2",
            exit_code="hunter2",
            bytes=True,
        )

    text = line(told(log)).decode()

    assert "hunter2" not in text
    assert "registry.example.com" not in text
    assert json.loads(text)["did"][0] == {
        "what": "pull",
        "from": 0.5,
        "to": 1.0,
        "image": "app:[MASKED]",
    }


@pytest.mark.parametrize(
    ("image", "short"),
    [
        ("docker", "docker"),
        ("docker:28", "docker:28"),
        ("registry.example.com:5000/group/app:1.2", "app:1.2"),
        (f"group/app@{DIGEST}", "app@dddddddddddd"),
        (f"group/app:1@{DIGEST}", "app@dddddddddddd"),
        (DIGEST, "dddddddddddd"),
        ("e" * 64, "eeeeeeeeeeee"),
        (f"app:{'1' * 100}", f"app:{'1' * 44}"),
        ("app\x1b[2J\n", "app[2J"),
    ],
)
def test_an_image_is_told_by_its_last_name(image: str, short: str) -> None:
    """Neither the registry nor the project's path is anybody's business."""
    assert short_image(image) == short


def test_a_line_has_a_bound() -> None:
    """What does not fit is counted: a job with hundreds of services is still one line."""
    log = a_stage()
    for number in range(500):
        name = f"dind-executor-{KEY}-service-{number}"
        note(log, 1.0 + number / 1000, "container started", seconds=0.5, container=name)

    text = line(told(log))

    assert MOST_BYTES / 2 < len(text) <= MOST_BYTES
    found = json.loads(text)
    assert found["cut"] + len(found["did"]) == 500
    assert found["did"][0]["container"] == "service-0"


def test_an_ordinary_line_is_left_as_it_is() -> None:
    """One newline, at its end, and no word that something is missing."""
    text = line(told(a_stage()))

    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    assert "cut" not in json.loads(text)


def test_the_process_has_begun_before_its_log() -> None:
    """The time that Python takes to start is the stage's, and not gitlab-runner's."""
    log = AdministratorLog("run")

    start = record(log, None, time.monotonic(), time.time())["start"]

    assert isinstance(start, float)
    # this process has loaded all of the tests, and is younger than the machine
    assert 0.0 < start < time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_kernel_that_does_not_say_when_a_process_began(mocker: MockerFixture) -> None:
    """The record says nothing of it either."""
    mocker.patch("executor.record.stage.os.open", side_effect=PermissionError)
    mocker.patch("executor.record.stage._BORN", born := _born())

    assert born is None
    assert "start" not in told(a_stage())


def test_a_stage_leaves_its_record(tmp_path: Path) -> None:
    """In a directory of its own, which only its owner may read."""
    spool = tmp_path / "spool"

    leave(a_stage(spool=spool), None)

    assert left(spool)[0]["stage"] == "prepare"
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    assert stat.S_IMODE((spool / "events.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("stage", ["config", "prepare", "run", "cleanup"])
def test_a_record_that_cannot_be_left_is_silent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], stage: str
) -> None:
    """The administrator's log alone says so, once in a job."""
    log = a_stage(stage, tmp_path / "nowhere" / "spool")

    leave(log, None)

    assert capfd.readouterr() == ("", "")
    said = [(event["event"], event["error"]) for _, event in log.noted]
    missing = f"[Errno 2] No such file or directory: '{tmp_path}/nowhere/spool'"
    assert said == ([("record not left", missing)] if stage == "prepare" else [])


def test_a_fault_of_ours_is_silent_too(tmp_path: Path, mocker: MockerFixture) -> None:
    """A record is worth no job."""
    mocker.patch("executor.record.stage.record", side_effect=AttributeError("x"))

    leave(a_stage(spool=tmp_path / "spool"), None)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_recorded_as_what_is_told(tmp_path: Path, mocker: MockerFixture) -> None:
    """It is the host's, and no fault of this program."""
    mocker.patch("executor.cli._ignore_signals")
    mocker.patch("executor.cli._stage", side_effect=OSError(errno.ENOSPC, "text"))
    log = a_stage("prepare")
    log.spool = str(tmp_path / "spool")
    env = RunnerEnv({"SYSTEM_FAILURE_EXIT_CODE": "42", "TMPDIR": str(tmp_path)})

    assert cli._run_logged("prepare", [], env, log) == 42

    found = json.loads((tmp_path / "spool" / "events.jsonl").read_text())
    assert (found["outcome"], found["reason"]) == ("system_failure", "resources")
