"""Scripts that begin beside a sidecar that only listens; `tests/stages` has real ones."""

import os
import socket
import time
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.names import TRANSPORT_LABEL
from executor.runner import notes
from executor.services import dind_early, dind_watch
from executor.services.dind import Sidecar
from executor.services.dind_early import YOUNG_SECONDS, listens, may_begin_beside
from tests.engine.stub import StubEngine
from tests.services.sidecars import STARTED


def sidecar(pid: int | None = None, started: str = STARTED, transport: str = "tls") -> Sidecar:
    """Return a running sidecar whose processes share this one's network."""
    state = {"Running": True, "StartedAt": started, "Pid": os.getpid() if pid is None else pid}
    return Sidecar("job-dind", {"State": state, "Config": {"Labels": {TRANSPORT_LABEL: transport}}})


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_port_with_a_listener(mocker: MockerFixture, family: socket.AddressFamily) -> None:
    """It is seen from the moment that somebody listens, and nobody connects for that."""
    with socket.socket(family) as listener:
        listener.bind(("", 0))
        mocker.patch.object(dind_early, "TLS_PORT", listener.getsockname()[1])

        assert not listens(sidecar())
        listener.listen()
        assert listens(sidecar())

        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_processes_that_nobody_here_sees() -> None:
    """A sidecar with a kernel of its own, or one that has ended, listens nowhere."""
    assert not listens(sidecar(pid=0))


def test_a_socket_that_comes_after_the_port(tmp_path: Path, mocker: MockerFixture) -> None:
    """A script finds it where it looks; a daemon without one is waited for a moment only."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "of-a-test.sock"))
        mocker.patch.object(dind_early, "_SOCKET", str(tmp_path / "of-a-test.sock").encode())
        sleep = mocker.patch(
            "executor.services.dind_early.time.sleep", side_effect=lambda _: listener.listen()
        )

        dind_early._wait_for_socket(sidecar())

    assert sleep.call_count == 1
    sleep.side_effect = None

    dind_early._wait_for_socket(sidecar())

    assert sleep.call_count > 1


@pytest.fixture
def young(tmp_path: Path) -> str:
    """Return the temporary directory of a job whose sidecar has just been started."""
    notes.leave(str(tmp_path), notes.DIND_STARTED, str(time.monotonic()).encode())
    return str(tmp_path)


@pytest.fixture
def watched(mocker: MockerFixture) -> list[str]:
    """Return the names of the sidecars that are watched; nothing else is done beside a script."""
    names: list[str] = []
    start = mocker.patch("executor.services.dind_early._thread.start_new_thread")
    start.side_effect = lambda _watch, told: names.append(told[1])
    return names


def begins(stub: StubEngine, temp_dir: str, seen: Sidecar | None = None) -> bool:
    """Tell whether a script may begin beside a sidecar."""
    return may_begin_beside(stub.engine(), seen or sidecar(), temp_dir, 60)


def test_a_script_begins_beside_a_sidecar_that_listens(
    stub: StubEngine, young: str, watched: list[str], mocker: MockerFixture
) -> None:
    """It is noted, and somebody watches whether it answers; so for the next script as well."""
    mocker.patch.object(dind_early, "listens", side_effect=[False, True])

    assert not begins(stub, young)
    assert begins(stub, young)
    assert notes.read(young, notes.LISTENED) == STARTED.encode()
    assert begins(stub, young)
    assert not begins(stub, young, sidecar(started="2027-01-01T12:00:00Z"))
    assert watched == ["job-dind", "job-dind"]


@pytest.mark.parametrize("reason", ["old", "not noted", "out of reach", "plain TCP", "ended"])
def test_a_script_that_waits_for_an_answer(
    stub: StubEngine, young: str, watched: list[str], mocker: MockerFixture, reason: str
) -> None:
    """A sidecar that takes long is on a loaded host, where impatient clients would give up."""
    mocker.patch.object(dind_early, "listens", return_value=True)
    seen = sidecar()
    if reason == "old":
        then = str(time.monotonic() - YOUNG_SECONDS).encode()
        notes.leave(young, notes.DIND_STARTED, then)
    elif reason == "not noted":
        notes.forget(young, notes.DIND_STARTED)
    elif reason == "plain TCP":
        seen = sidecar(transport="tcp")
    elif reason == "out of reach":
        notes.leave(young, notes.OUT_OF_REACH)
    else:
        seen.running = False

    assert not begins(stub, young, seen)
    assert (watched, notes.is_left(young, notes.LISTENED)) == ([], False)


def test_the_watch_begins_late(stub: StubEngine, young: str, mocker: MockerFixture) -> None:
    """Short scripts end before anything is loaded beside them."""
    order: list[str] = []
    mocker.patch(
        "executor.services.dind_early.time.sleep",
        side_effect=lambda _seconds: order.append("sleep"),
    )
    mocker.patch.object(dind_watch, "end_silent", side_effect=lambda *_told: order.append("watch"))

    dind_early._watch(stub.engine(), "job-dind", young, 60)

    assert order == ["sleep", "watch"]
