"""The end of a job that fills the disk, as `run` sees it."""

import time
from pathlib import Path

import pytest

from executor.disk.limits import BYTES, Overrun
from executor.disk.watch import Watch
from executor.disk.watched import Watched
from executor.engine.docker import Engine
from executor.errors import DiskOverrun
from executor.log import AdministratorLog
from executor.names import JobNames
from executor.runner import notes
from executor.stages.overrun import watch_disk
from tests.disk.test_watch import LIMITS
from tests.engine.stub import StubEngine, http

NAMES = JobNames("12-abcdef")
WATCHED = Watched((), LIMITS, "", 0.0, (), (), "/nowhere")


def engine(stub: StubEngine) -> Engine:
    """Return an engine that has nothing of the job any more."""
    stub.on("GET", "/", http(200, []))
    stub.on("DELETE", "/", http(204))
    return Engine.at(stub.host, "", tls_verify=False)


def is_left(temp_dir: Path, seconds: float = 60.0) -> bool:
    """Wait for the note that the job was ended; tell whether it came."""
    until = time.monotonic() + seconds
    while not notes.is_left(str(temp_dir), notes.OVERRUN):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_job_that_is_ended(
    stub: StubEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its script's stage ends with the sentence, and no later one runs."""
    agreed = []

    def follow(_self: Watch, end: object) -> None:
        agreed.append(end(Overrun(3 << 30, BYTES, 1 << 30, "/data")))  # type: ignore[operator]

    monkeypatch.setattr(Watch, "follow", follow)
    notes.leave(str(tmp_path), notes.DISK, WATCHED.noted())
    log = AdministratorLog("run")
    settle = watch_disk(engine(stub), NAMES, str(tmp_path), log)
    assert is_left(tmp_path)

    with pytest.raises(
        DiskOverrun, match=r"it had written 3 GiB, more than any other job, and 1 GiB"
    ):
        settle()
    with pytest.raises(DiskOverrun, match="nothing more of it runs"):
        watch_disk(engine(stub), NAMES, str(tmp_path), log)
    assert agreed == [True]


def test_a_script_that_ends_first(
    stub: StubEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job is not ended any more."""
    agreed = []

    def follow(_self: Watch, end: object) -> None:
        agreed.append(end(Overrun(1, BYTES, 1, "/data")))  # type: ignore[operator]

    monkeypatch.setattr(Watch, "follow", follow)
    notes.leave(str(tmp_path), notes.DISK, WATCHED.noted())

    watch_disk(engine(stub), NAMES, str(tmp_path), AdministratorLog("run"))()

    for _ in range(600):
        if agreed:
            break
        time.sleep(0.1)
    assert agreed == [False]
    assert not notes.is_left(str(tmp_path), notes.OVERRUN)


@pytest.mark.parametrize("note", [None, b"", b"[]", WATCHED.noted()])
def test_a_watch_that_sees_nothing(
    stub: StubEngine, tmp_path: Path, note: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No script ends for it."""
    monkeypatch.setattr("executor.stages.overrun._START_SECONDS", 0.0)
    if note is not None:
        notes.leave(str(tmp_path), notes.DISK, note)

    settle = watch_disk(engine(stub), NAMES, str(tmp_path), AdministratorLog("run"))
    time.sleep(0.2)

    settle()
