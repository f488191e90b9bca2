"""The administrator's log: JSON lines without secrets, and no trouble where it cannot be written."""

import os
import re
import threading
import time
from pathlib import Path

import pytest

from executor.log import AdministratorLog, complain, say, write_through
from tests.logs import STAGES, a_log, lines
from tests.patience import LONGEST_SECONDS


@pytest.mark.parametrize("stage", STAGES)
def test_one_json_object_for_each_thing_done(tmp_path: Path, stage: str) -> None:
    """Each line says stage, job, project, the thing done and its seconds; the last is the end."""
    log = a_log(tmp_path / "log", stage)

    log.done("image pulled", time.monotonic() - 1.5, image="docker:dind", digest="sha256:ab")
    log.close("success")

    pulled, ended = lines(tmp_path / "log")
    assert {"stage": stage, "job_id": 4711, "project_id": 42, "event": "image pulled"}.items() <= (
        pulled.items()
    )
    assert (pulled["image"], pulled["digest"]) == ("docker:dind", "sha256:ab")
    assert isinstance(pulled["seconds"], float)
    assert pulled["seconds"] >= 1.5
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(pulled["timestamp"]))
    assert (ended["event"], ended["outcome"]) == ("stage ended", "success")


def test_events_keep_their_own_time(tmp_path: Path) -> None:
    """They are written at the end, and say when they happened."""
    log = a_log(tmp_path / "log")
    log.event("first")
    time.sleep(0.01)
    log.event("second")
    log.close("success")

    first, second, _ = lines(tmp_path / "log")
    assert str(first["timestamp"]) < str(second["timestamp"])


@pytest.mark.parametrize("stage", STAGES)
def test_no_secret_is_written(tmp_path: Path, stage: str) -> None:
    """Hidden values, tokens and the logins of URLs are masked wherever an event has them."""
    log = a_log(tmp_path / "log", stage)
    log.hide(("hunter2", "line one\nline two"))
    log.event("failed", error="password hunter2 of https://u:p4ss@host", token="glcbt-64_abc")
    log.hide(["later-secret"])
    log.event("failed", error="hunter2 and later-secret", more="x line one\nline two y")
    log.close("hunter2")

    text = (tmp_path / "log").read_text()
    for secret in ("hunter2", "p4ss", "64_abc", "later-secret", "line two"):
        assert secret not in text
    assert lines(tmp_path / "log")[0]["error"] == "password [MASKED] of https://[MASKED]@host"


@pytest.mark.parametrize("stage", STAGES)
def test_a_log_that_cannot_be_written_is_said_once_a_job(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], stage: str
) -> None:
    """prepare says so on stderr, and no stage fails because of it."""
    log = a_log(tmp_path / "nowhere" / "log", stage)

    log.close("success")

    out, err = capfd.readouterr()
    assert out == ""
    if stage == "prepare":
        assert err == (
            f"WARNING: The administrator's log {tmp_path}/nowhere/log cannot be written: No"
            " such file or directory. The job continues. Check `[log]` in the settings of"
            " dind-executor. `dind-executor doctor --only log` looks at this.\n"
        )
    else:
        assert err == ""


def test_a_full_disk_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """The job goes on without a log."""
    log = AdministratorLog("prepare")
    log.open("file:/dev/full", 1, 2)

    log.close("success")

    assert "No space left on device" in capfd.readouterr().err


@pytest.mark.parametrize("target", ["none:", "", "none:/some/path"])
def test_no_log_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """An administrator may do without a log."""
    monkeypatch.chdir(tmp_path)
    log = AdministratorLog("prepare")
    log.open(target, 1, 2)
    log.event("x")
    log.close("success")

    assert list(tmp_path.iterdir()) == []


def test_a_log_that_was_never_opened_writes_nothing(tmp_path: Path) -> None:
    """A stage whose settings cannot be read does not know where to."""
    log = AdministratorLog("config")
    log.event("x")

    log.close("system failure")

    assert list(tmp_path.iterdir()) == []


def test_texts_that_are_no_unicode(tmp_path: Path) -> None:
    """The log takes whatever an engine or a file name says."""
    log = a_log(tmp_path / "log", "run")
    log.event("x", text=os.fsdecode(b"\xff\xfe"))

    log.close("success")

    assert lines(tmp_path / "log")[0]["event"] == "x"


def test_sentences_for_the_job_log(capfd: pytest.CaptureFixture[str]) -> None:
    """`say` goes to stdout and `complain` to stderr, one line each, whatever is in it."""
    say("a sentence")
    complain(os.fsdecode(b"caf\xe9"))

    assert capfd.readouterr() == ("a sentence\n", "caf?\n")


def test_a_job_log_that_nobody_reads() -> None:
    """gitlab-runner may be gone, and the stage that talks does not notice."""
    reading, writing = os.pipe()
    os.close(reading)
    saved = os.dup(1)
    os.dup2(writing, 1)
    try:
        say("nobody hears this")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(writing)


def test_a_sentence_for_the_job_log_keeps_the_culprit_and_no_secret() -> None:
    """Secrets go; what GitLab would not mask either stays, and so does an address."""
    log = AdministratorLog("prepare")
    log.hide(["hunter2-hunter2", "main"])

    shown = log.without_secrets("ssh://root@host: hunter2-hunter2 on main")

    assert shown == "ssh://root@host: [MASKED] on main"


def test_writing_goes_on_where_a_pipe_is_full() -> None:
    """A write may take a part only."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    data = os.urandom(300_000)
    thread = threading.Thread(target=write_through, args=(writing, data))
    thread.start()
    got = b""
    while len(got) < len(data):
        try:
            got += os.read(reading, 4096)
        except BlockingIOError:
            time.sleep(0.001)
    thread.join(LONGEST_SECONDS)
    os.close(reading)
    os.close(writing)

    assert got == data
