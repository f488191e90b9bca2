"""Scripts in a container, against a stub that says what no engine says on demand."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest
from pytest_mock import MockerFixture

from executor.errors import Cancelled, EnvironmentLost
from executor.scripts import script as module
from executor.scripts.script import run_script
from tests.engine.stub import (
    StubEngine,
    frame,
    http,
    refusal,
)
from tests.patience import LONGEST_SECONDS
from tests.scripts.keepers import (
    ATTACH,
    EXEC,
    SCRIPT,
    Heard,
    Keeper,
    Signals,
    attached,
    inspected,
    prints,
)


@pytest.mark.parametrize("code", [0, 1, 7, 137, 255])
def test_output_and_status(stub: StubEngine, code: int) -> None:
    """Each stream gets its own, and the status is the script's."""
    heard = Heard()
    stub.on("POST", ATTACH, attached(prints((1, b"out"), (2, b"err"), (1, b"put"), code=code)))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == code
    assert heard.pieces == [(1, b"out"), (2, b"err"), (1, b"put")]


def test_the_script_arrives_as_it_is(stub: StubEngine) -> None:
    """The keeper gets every byte, and after them the line that proves it."""
    seen: list[Keeper] = []

    def act(keeper: Keeper) -> None:
        seen.append(keeper)
        prints()(keeper)

    stub.on("POST", ATTACH, attached(act))
    script = b"\xff\0 run x 3\n" * 50_000

    run_script(stub.engine(), "job-build", script, sink=Heard())

    (keeper,) = seen
    assert keeper.script == script + b"\n"
    assert keeper.last == keeper.nonce + b"\n"


def test_no_two_scripts_share_a_nonce(stub: StubEngine) -> None:
    """A script that saw an earlier end cannot forge its own."""
    seen: list[bytes] = []

    def act(keeper: Keeper) -> None:
        seen.append(keeper.nonce)
        prints()(keeper)

    stub.on("POST", ATTACH, attached(act))
    for _ in range(3):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())

    assert len(set(seen)) == 3
    assert all(len(each) == 32 for each in seen)


def test_all_output_comes_before_the_end(stub: StubEngine) -> None:
    """The status is on stdout first, and stderr may still be on its way."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(
            keeper.begins(),
            frame(1, keeper.line(1, b"5")),
            frame(2, b"late"),
            frame(2, keeper.line(2, b"5")),
        )

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 5
    assert heard.on(2) == b"late"


@pytest.mark.parametrize("tls", [True, False])
def test_reading_waits_for_a_script_to_be_sent_over_tls(
    mocker: MockerFixture, *, tls: bool
) -> None:
    """Such a connection may not be used for both directions at once; others are."""
    order: list[str] = []
    reader, copying = mocker.Mock(), mocker.Mock()
    if not tls:
        del reader.socket.context
    reader.socket.sendall = lambda _: order.append("sent")
    copying.start = lambda: order.append("reading")
    mocker.patch("_thread.start_new_thread", lambda do, given: do(*given))

    module._feed(reader, b"a script", copying)

    assert order == (["sent", "reading"] if tls else ["reading", "sent"])


def test_a_script_without_a_place(stub: StubEngine) -> None:
    """It did not run: that is no status of its own, and no reason to wait."""
    stub.on("POST", ATTACH, attached(lambda keeper: keeper.connection.send(
        keeper.begins(), frame(2, keeper.line(2, b"untaken")), frame(1, keeper.line(1, b"untaken"))
    )))  # fmt: skip

    with pytest.raises(EnvironmentLost, match=r"/run/dind-executor .* is full or read-only"):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


# --- a container or an engine that is lost ----------------------------------------------------


LOST = [
    (refusal(404, "no such container"), "Something removed the container"),
    (inspected(Running=False, ExitCode=137, OOMKilled=True), "ran out of memory"),
    (inspected(Running=False, ExitCode=137), "stopped while the job ran (exit code 137)"),
    (inspected(), "is still running"),
    (http(500, b"<html>"), "Something removed"),
    (http(200, b"[]"), "Something removed"),
]


@pytest.mark.parametrize(("answer", "sentence"), LOST)
@pytest.mark.parametrize("begun", [True, False])
def test_a_stream_that_ends_too_early(
    stub: StubEngine, answer: bytes, sentence: str, *, begun: bool
) -> None:
    """The end of a stream alone is no success: the container's state says what happened."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        if begun:
            keeper.connection.send(keeper.begins(), frame(1, b"half"), frame(1, b"cut")[:-1])

    stub.on("POST", ATTACH, attached(act))
    stub.on("GET", "/containers/job-build/json", answer)

    with pytest.raises(EnvironmentLost) as caught:
        run_script(stub.engine(), "job-build", SCRIPT, sink=heard)

    assert sentence in str(caught.value)
    assert heard.on(1) == (b"half" if begun else b"")


@pytest.mark.parametrize(("answer", "sentence"), LOST[:4])
@pytest.mark.parametrize("status", [404, 409, 500])
def test_a_container_that_takes_no_stream(
    stub: StubEngine, status: int, answer: bytes, sentence: str
) -> None:
    """An attach that is refused is a container that is lost."""
    stub.on("POST", ATTACH, refusal(status, "whatever"))
    stub.on("GET", "/containers/job-build/json", answer)

    with pytest.raises(EnvironmentLost) as caught:
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())

    assert sentence in str(caught.value)


# --- SIGTERM, and scripts that a killed call left ---------------------------------------------


@pytest.fixture
def cancelling() -> Iterator[None]:
    """Handle SIGTERM as the stages do."""

    def cancel(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Cancelled("gitlab-runner ended the stage")

    before = signal.signal(signal.SIGTERM, cancel)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("cancelling")
def test_a_cancelled_script_gets_term_and_may_have_a_last_word(stub: StubEngine) -> None:
    """What it prints while it ends is part of the log; the call ends as cancelled."""
    heard, signals = Heard(), Signals(stub)

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins(), frame(1, b"working\n"))
        os.kill(os.getpid(), signal.SIGTERM)
        signals.wait_for("TERM")
        keeper.connection.send(frame(1, b"last word\n"), keeper.ends(1))

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=heard)

    assert heard.on(1) == b"working\nlast word\n"
    assert signals.got == ["TERM"]


@pytest.mark.usefixtures("cancelling")
@pytest.mark.parametrize("talks", [True, False])
def test_a_script_that_ignores_term_is_killed(
    stub: StubEngine, mocker: MockerFixture, *, talks: bool
) -> None:
    """One that goes on printing is killed as well: nobody waits for silence."""
    mocker.patch.object(module, "_GRACE_SECONDS", 0.3)
    signals = Signals(stub)
    ended = threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)
        deadline = time.monotonic() + LONGEST_SECONDS
        while "KILL" not in signals.got and time.monotonic() < deadline:
            keeper.connection.send(frame(1, b"still here\n") if talks else b"")
            time.sleep(0.02)
        keeper.connection.send(keeper.ends(137))
        ended.set()

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())

    assert signals.got == ["TERM", "KILL"]
    assert ended.wait(LONGEST_SECONDS)


@pytest.mark.usefixtures("cancelling")
def test_a_script_that_no_signal_ends(stub: StubEngine, mocker: MockerFixture) -> None:
    """It may have become another user: the call ends, and its container is removed after it."""
    mocker.patch.object(module, "_GRACE_SECONDS", 0.1)
    mocker.patch.object(module, "_KILL_SECONDS", 0.1)
    signals, done = Signals(stub), threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)
        done.wait(LONGEST_SECONDS)

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())
    done.set()

    assert signals.got == ["TERM", "KILL"]


@pytest.mark.usefixtures("cancelling")
def test_a_container_that_is_gone_when_the_cancel_comes(stub: StubEngine) -> None:
    """There is nobody to signal, and the call ends all the same."""
    stub.on("POST", EXEC, refusal(404, "no such container"))

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


@pytest.mark.usefixtures("cancelling")
def test_an_engine_that_is_gone_when_the_cancel_comes(stub: StubEngine) -> None:
    """A cancel is a cancel, whatever the engine does."""
    stub.on("POST", EXEC, b"")

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


def test_a_sink_that_breaks_ends_the_call(stub: StubEngine) -> None:
    """gitlab-runner may be gone; nobody hears the rest."""

    def broken(_descriptor: int, _data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    stub.on("POST", ATTACH, attached(prints((1, b"out"))))

    with pytest.raises(EnvironmentLost, match="Broken pipe"):
        run_script(stub.engine(), "job-build", SCRIPT, sink=broken)
