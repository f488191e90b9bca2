"""The lines of the administrator's log, in a file and in the journal."""

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest
import structlog
from pytest_mock import MockerFixture

from executor.log import AdministratorLog
from executor.log import lines as module
from tests.logs import STAGES, a_log, lines


def test_every_stage_writes_the_lines_of_structlog(tmp_path: Path) -> None:
    """No stage loads structlog, and a reader of the log cannot tell."""
    facts = {"text": 'a "b"\n\N{GREEK SMALL LETTER ALPHA}', "number": 1, "nothing": None}
    for stage in STAGES:
        log = a_log(tmp_path / stage, stage)
        log.event("something done", **facts)
        log.close("success")
        line = (tmp_path / stage).read_text().splitlines()[0]
        timestamp = json.loads(line)["timestamp"]
        logger = structlog.wrap_logger(
            structlog.ReturnLogger(),
            processors=[structlog.processors.JSONRenderer()],
            wrapper_class=structlog.BoundLogger,
        ).bind(stage=stage, job_id=4711, project_id=42)

        assert line == logger.info("something done", timestamp=timestamp, **facts)


def test_lines_are_added(tmp_path: Path) -> None:
    """The log of many stages is one file, readable by its group."""
    for stage in STAGES:
        a_log(tmp_path / "log", stage).close("success")

    assert [each["stage"] for each in lines(tmp_path / "log")] == list(STAGES)
    assert not stat.S_IMODE((tmp_path / "log").stat().st_mode) & 0o007


def test_stages_that_end_together_do_not_mix(tmp_path: Path) -> None:
    """Each stage's lines stay whole and together."""
    logs = [a_log(tmp_path / "log", "run") for _ in range(20)]
    for number, log in enumerate(logs):
        for _ in range(20):
            log.event("x" * 400, number=number)
    threads = [threading.Thread(target=log.close, args=("success",)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = [each["number"] for each in lines(tmp_path / "log") if "number" in each]
    assert len(numbers) == 400
    assert all(len(set(numbers[at : at + 20])) == 1 for at in range(0, 400, 20))


@pytest.mark.parametrize("stage", ["prepare", "run"])
def test_the_journal_gets_each_line(tmp_path: Path, mocker: MockerFixture, stage: str) -> None:
    """The log speaks the journal's native protocol: one datagram an event."""
    path = str(tmp_path / "journal.sock")
    mocker.patch.object(module, "_JOURNAL", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(path)
        journal.settimeout(10)
        log = AdministratorLog(stage)
        log.open("journal:", 4711, 42)
        log.hide(["hunter2"])
        log.event("first", text="hunter2\nnext line")
        log.close("success")
        got = [journal.recv(65536).decode() for _ in range(2)]

    for datagram in got:
        assert datagram.startswith("PRIORITY=6\nSYSLOG_IDENTIFIER=dind-executor\nMESSAGE={")
        assert datagram.count("\n") == 3
    events = [json.loads(each.partition("MESSAGE=")[2]) for each in got]
    assert [each["event"] for each in events] == ["first", "stage ended"]
    assert events[0]["text"] == "[MASKED]\nnext line"


def test_a_host_without_a_journal(
    tmp_path: Path, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A missing journal is like a file that cannot be written."""
    mocker.patch.object(module, "_JOURNAL", str(tmp_path / "nowhere"))
    log = AdministratorLog("prepare")
    log.open("journal:", 1, 2)

    log.close("success")

    assert "The administrator's log journal cannot be written" in capfd.readouterr().err


def test_a_journal_that_hangs(
    tmp_path: Path, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The stage ends although the journal's socket takes nothing more."""
    path = str(tmp_path / "journal.sock")
    mocker.patch.object(module, "_JOURNAL", path)
    mocker.patch.object(module, "_JOURNAL_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(path)
        log = AdministratorLog("prepare")
        log.open("journal:", 1, 2)
        for _ in range(3000):
            log.event("more than the socket holds", text="x" * 1000)

        log.close("success")

    assert "The administrator's log journal cannot be written: timed out" in capfd.readouterr().err


_USER = 12345


def test_root_makes_the_log_for_the_directory_s_owner(tmp_path: Path) -> None:
    """`reap` runs as root, and the stages that write to the same log as another user."""
    os.chown(tmp_path, _USER, _USER)

    module.to_file(f"{tmp_path}/log", ["{}"])

    made = (tmp_path / "log").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode) & 0o777) == (_USER, _USER, 0o640)


@pytest.mark.parametrize("kind", ["written", "link", "second name"])
def test_root_gives_nothing_else_away(tmp_path: Path, kind: str) -> None:
    """A log that is there keeps its owner, and so does a file elsewhere that a name leads to."""
    place, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    elsewhere.touch()
    if kind == "link":
        place.symlink_to(elsewhere)
    elif kind == "second name":
        place.hardlink_to(elsewhere)
    else:
        place.write_text("{}\n")
    os.chown(tmp_path, _USER, _USER)

    module.to_file(str(place), ["{}"])

    assert {place.stat().st_uid, elsewhere.stat().st_uid} == {0}


def test_a_pipe_that_nobody_reads(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The stage ends, as with a journal that hangs."""
    os.mkfifo(tmp_path / "log")
    log = a_log(tmp_path / "log", "prepare")

    log.close("success")

    assert "log cannot be written: No such device or address" in capfd.readouterr().err


def test_a_pipe_whose_reader_does_not_keep_up(tmp_path: Path) -> None:
    """What does not fit is lost, and nobody waits."""
    os.mkfifo(tmp_path / "log")
    reading = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    log = a_log(tmp_path / "log", "run")
    for _ in range(3000):
        log.event("more than a pipe holds", text="x" * 900)
    try:
        log.close("success")
        assert os.read(reading, 4096)
    finally:
        os.close(reading)


def test_no_text_is_longer_than_people_read(tmp_path: Path) -> None:
    """Whoever writes a pipeline does not fill the administrator's disk; secrets go before."""
    log = a_log(tmp_path / "log", "prepare")
    log.hide(["hunter2-hunter2"])
    log.event("stage failed", error="hunter2-hunter2 " * 1_000_000)

    log.close("success")

    line = (tmp_path / "log").read_text()
    assert len(line) < 2000
    assert "hunter" not in line


def test_a_text_of_many_lines_is_cut(tmp_path: Path) -> None:
    """Readers of the log take lines of a few KiB, with all that JSON has to escape."""
    for number, text in enumerate(('{"message": "no"}\n' * 500, "\x1b" * 3000, "short")):
        log = a_log(tmp_path / str(number), "run")
        log.event("refused", error=text)
        log.close("success")
    written = [(tmp_path / str(number)).read_text().splitlines()[0] for number in range(3)]

    assert [len(line) < 4500 for line in written] == [True] * 3
    assert json.loads(written[0])["error"].startswith('{"message": "no"}\n{"message"')
    assert '"error": "short"' in written[2]
