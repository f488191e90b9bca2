"""What the sidecar has used, where that is known at once."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.errors import EngineUnavailable
from executor.record.summary import BuildCache, DindUsage
from executor.runner import notes
from executor.services import dind_usage as module
from executor.services.dind_usage import dind_usage
from tests.engine.stub import Connection, Received, StubEngine, http, refusal, stub_engine

INSPECT = "/containers/job-dind/json"
STARTED = "2026-01-01T12:00:00.5Z"
BEFORE, AFTER = "2026-01-01T11:00:00Z", "2026-01-01T13:00:00Z"


class Process:
    """A sidecar's process that is here."""

    def __init__(self, stub: StubEngine) -> None:
        self.stub = stub
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def peak_memory(self) -> int:
        return 5 << 20

    def socket(self, *_path: str) -> int:
        return os.open(self.stub.path, os.O_PATH)


@pytest.fixture
def daemon(tmp_path: Path, mocker: MockerFixture) -> Iterator[StubEngine]:
    """Return the daemon in a sidecar whose process is here."""
    (tmp_path / "daemon").mkdir()
    with stub_engine(tmp_path / "daemon") as stub:
        mocker.patch.object(module, "FirstProcess", return_value=Process(stub))
        yield stub


def container(tmp_path: Path, *lines: str) -> bytes:
    """Return what the engine says of the sidecar, whose log has these lines."""
    log = tmp_path / "x-json.log"
    said = [json.dumps({"log": f"{each}\n", "time": "2026-01-01T12:00:00.75Z"}) for each in lines]
    log.write_text("".join(f"{each}\n" for each in said))
    state = {"Pid": 77, "StartedAt": STARTED}
    return http(200, {"Id": "c0ffee", "State": state, "LogPath": str(log)})


def usage(stub: StubEngine, tmp_path: Path, seconds: float = 30.0) -> DindUsage | None:
    """Return what is known after some seconds at most."""
    return dind_usage(stub.engine(), "job-dind", str(tmp_path), time.monotonic() + seconds)


def open_paths() -> set[str]:
    """Return what this process has open, by its descriptors' paths."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # other threads close theirs
            found.add(str(each.readlink()))
    return found


def record(created: str, last: str | None, size: object = 1000) -> dict[str, object]:
    """Return a record of the build cache."""
    return {"ID": "x", "CreatedAt": created, "LastUsedAt": last, "Size": size}


def test_all_of_it(stub: StubEngine, daemon: StubEngine, tmp_path: Path) -> None:
    """Each of the two daemons is asked once."""
    stub.on("GET", INSPECT, container(tmp_path, "starting", 'msg="API listen on [::]:2376"'))
    records = [
        record(BEFORE, AFTER),
        record(BEFORE, BEFORE),
        record(BEFORE, None),
        record(AFTER, AFTER),
        record(AFTER, None, 500),
        record(AFTER, None, "many"),
        record(AFTER, None, -7),
        record("yesterday", "x"),
    ]
    daemon.on("GET", "/v1.44/system/df", http(200, {"BuildCache": records}))

    found = usage(stub, tmp_path)

    assert found == DindUsage(0.25, 5 << 20, BuildCache(1, 4, 1500))
    assert (len(stub.received), len(daemon.received)) == (1, 1)
    assert str(daemon.path) not in open_paths()


def test_a_job_without_a_sidecar(stub: StubEngine, tmp_path: Path) -> None:
    """It has been left out, or is gone."""
    stub.on("GET", INSPECT, refusal(404, "no such container"))

    assert usage(stub, tmp_path) is None


def test_a_sidecar_whose_processes_are_elsewhere(
    stub: StubEngine, daemon: StubEngine, tmp_path: Path
) -> None:
    """A process of its number is here as well, and is another one."""
    notes.leave(str(tmp_path), notes.OUT_OF_REACH)
    stub.on("GET", INSPECT, container(tmp_path, "API listen on"))

    assert usage(stub, tmp_path) == DindUsage()
    assert daemon.received == []


@contextmanager
def silent(stub: StubEngine, path: str) -> Iterator[None]:
    """Have a daemon answer nothing within this."""

    def answer(connection: Connection, _received: Received) -> None:
        connection.file.read(1)  # until the other end gives up

    stub.on("GET", path, answer)
    yield


def test_a_daemon_that_does_not_say_in_time(
    stub: StubEngine, daemon: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """What is known is there without it."""
    mocker.patch.object(module, "_left", side_effect=[30.0, 0.1])
    stub.on("GET", INSPECT, container(tmp_path, "nothing yet"))
    with silent(daemon, "/v1.44/system/df"):
        assert usage(stub, tmp_path) == DindUsage(None, 5 << 20)


def test_an_engine_that_does_not_say_in_time(stub: StubEngine, tmp_path: Path) -> None:
    """Who asks has to know that, and no job waits for it."""
    with silent(stub, INSPECT), pytest.raises(EngineUnavailable):
        usage(stub, tmp_path, 0.1)


@pytest.mark.parametrize(
    "log",
    ["API listen on", '{"log": "API listen on", "time": "never"}', '["API listen on"]', "{" * 99],
)
def test_a_log_that_says_nothing(
    stub: StubEngine, daemon: StubEngine, tmp_path: Path, log: str
) -> None:
    """It has another form, or a job has written to it."""
    stub.on("GET", INSPECT, container(tmp_path))
    (tmp_path / "x-json.log").write_text(f"{log}\n")
    daemon.on("GET", "/v1.44/system/df", refusal(400, "too new"))

    assert usage(stub, tmp_path) == DindUsage(None, 5 << 20)


def test_an_engine_that_keeps_no_log_here(
    stub: StubEngine, mocker: MockerFixture, tmp_path: Path
) -> None:
    """Its log driver is another one, and the process has ended."""
    mocker.patch.object(module, "FirstProcess", side_effect=FileNotFoundError)
    state = {"Pid": 77, "StartedAt": STARTED}
    stub.on("GET", INSPECT, http(200, {"Id": "c0ffee", "State": state, "LogPath": ""}))

    assert usage(stub, tmp_path) == DindUsage()
