"""Scripts in a container, against a stub that says what no engine says on demand."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from pytest_mock import MockerFixture

from executor import log
from executor.errors import Cancelled, ContainerLost, EnvironmentLost
from executor.scripts import blocked
from executor.scripts import output as output_module
from executor.scripts import script as module
from executor.scripts.script import run_script
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    byte_by_byte,
    frame,
    http,
    refusal,
)

ATTACH = "/containers/job-build/attach"
EXEC = "/containers/job-build/exec"
SCRIPT = b"echo hello\nexit 0\n"


class Heard:
    """What a script printed, by stream, and everything in order."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []

    def __call__(self, descriptor: int, data: bytes) -> None:
        self.pieces.append((descriptor, data))

    def on(self, descriptor: int) -> bytes:
        return b"".join(data for number, data in self.pieces if number == descriptor)


class Keeper:
    """The container's end of an attached stream."""

    def __init__(self, connection: Connection) -> None:
        """Take the script, as the keeper does."""
        self.connection = connection
        connection.send(UPGRADED)
        word, nonce, size = connection.file.readline().split()
        self.nonce = nonce
        self.script = connection.file.read(int(size))
        self.last = connection.file.readline()
        assert word == b"run"

    def line(self, number: int, text: bytes) -> bytes:
        """Return one of the keeper's own lines, written to this stream."""
        return b"\0%s %d %s\n" % (self.nonce, number, text)

    def begins(self) -> bytes:
        """Return what says on both streams that the script begins."""
        return frame(2, self.line(2, b"begins")) + frame(1, self.line(1, b"begins"))

    def ends(self, code: int) -> bytes:
        """Return what says on both streams that it ended."""
        text = str(code).encode()
        return frame(2, self.line(2, text)) + frame(1, self.line(1, text))


Acts = Callable[[Keeper], None]


def attached(acts: Acts) -> Callable[[Connection, Received], None]:
    """Return an answer to an attach request."""

    def answer(connection: Connection, _received: Received) -> None:
        acts(Keeper(connection))

    return answer


def prints(*pieces: tuple[int, bytes], code: int = 0) -> Acts:
    """Return a script that prints and ends."""

    def act(keeper: Keeper) -> None:
        keeper.connection.send(
            keeper.begins(), *(frame(number, data) for number, data in pieces), keeper.ends(code)
        )

    return act


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


def test_everything_in_one_packet(stub: StubEngine) -> None:
    """A short script's whole output may come at once."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins() + frame(1, b"all") + keeper.ends(3))

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 3
    assert heard.pieces == [(1, b"all")]


def test_a_frame_in_the_packet_of_the_upgrade(stub: StubEngine) -> None:
    """What comes with the head is not lost, here the output of a script that nobody waits for."""
    heard = Heard()

    def answer(connection: Connection, received: Received) -> None:
        send, connection.send = connection.send, lambda *_: None  # type: ignore[method-assign]
        send(UPGRADED + frame(1, b"of an earlier script\n") + frame(1, b"\0ab"))
        keeper = Keeper(connection)
        send(keeper.begins() + frame(1, b"mine") + keeper.ends(0))
        assert received.body == b""

    stub.on("POST", ATTACH, answer)

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 0
    assert heard.pieces == [(1, b"mine")]


def test_frames_may_come_byte_by_byte(stub: StubEngine) -> None:
    """Heads, contents and the keeper's lines may break anywhere."""
    heard = Heard()
    stream = [(1, b"a\0b\n"), (2, b"\0\0"), (1, b""), (1, b"c" * 300)]

    def act(keeper: Keeper) -> None:
        body = b"".join(frame(number, data) for number, data in stream)
        for each in byte_by_byte(keeper.begins() + body + keeper.ends(9)):
            keeper.connection.send(each)

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 9
    assert (heard.on(1), heard.on(2)) == (b"a\0b\n" + b"c" * 300, b"\0\0")


def test_the_keepers_lines_may_be_split_over_frames(stub: StubEngine) -> None:
    """An engine frames whatever it read; a line is a line only when its end came."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        out = b"".join(
            frame(1, each)
            for each in byte_by_byte(keeper.line(1, b"begins") + b"x\0" + keeper.line(1, b"12"))
        )
        keeper.connection.send(out, frame(2, keeper.line(2, b"begins") + keeper.line(2, b"12")))

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 12
    assert heard.on(1) == b"x\0"


def test_output_that_looks_like_the_keepers(stub: StubEngine) -> None:
    """Only NUL and the nonce make a line the keeper's."""
    heard = Heard()
    forged = b"\0" + b"0" * 32 + b" 0\n\0\0begins\n"
    stub.on("POST", ATTACH, attached(prints((1, forged), (2, forged), code=4)))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 4
    assert (heard.on(1), heard.on(2)) == (forged, forged)


def test_output_before_the_script_is_nobodys(stub: StubEngine) -> None:
    """A process that an entrypoint left behind may print between two scripts."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(
            frame(1, b"a daemon's\n"), keeper.begins(), frame(1, b"mine"), keeper.ends(0)
        )

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 0
    assert heard.pieces == [(1, b"mine")]


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


@pytest.mark.parametrize("number", [1, 2])
def test_a_stream_that_is_led_nowhere(stub: StubEngine, mocker: MockerFixture, number: int) -> None:
    """An entrypoint may have done that: the other stream brings output and status."""
    mocker.patch.object(output_module, "_SILENT_SECONDS", 0.1)
    heard, done = Heard(), threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(
            frame(number, keeper.line(number, b"begins") + b"mine" + keeper.line(number, b"6"))
        )
        while not done.wait(0.02):
            keeper.connection.send(frame(3 - number, b"a daemon's\n"))

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 6
    done.set()
    assert heard.pieces == [(number, b"mine")]


def test_a_stream_that_breaks_off(stub: StubEngine, mocker: MockerFixture) -> None:
    """What an entrypoint put behind stderr was ended by the script: the status counts."""
    mocker.patch.object(output_module, "_LATE_SECONDS", 0.1)
    done = threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins(), frame(1, keeper.line(1, b"6")))
        done.wait(10)

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=Heard()) == 6
    done.set()


@pytest.mark.parametrize("first", [1, 2])
def test_streams_that_are_led_into_one(stub: StubEngine, first: int) -> None:
    """Both of the keeper's lines come on one stream, one after the other or not."""
    heard = Heard()

    def act(keeper: Keeper) -> None:
        lines = [
            keeper.line(number, text) for text in (b"begins", b"6") for number in (first, 3 - first)
        ]
        text = b"before" + b"one".join(lines[:2]) + b"two" + b"three".join(lines[2:]) + b"after"
        keeper.connection.send(frame(1, text))

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 6
    assert heard.on(1) == b"onetwothree"


def test_a_script_without_a_place(stub: StubEngine) -> None:
    """It did not run: that is no status of its own, and no reason to wait."""
    stub.on("POST", ATTACH, attached(lambda keeper: keeper.connection.send(
        keeper.begins(), frame(2, keeper.line(2, b"untaken")), frame(1, keeper.line(1, b"untaken"))
    )))  # fmt: skip

    with pytest.raises(EnvironmentLost, match="/run/dind-executor in it is full or not writable"):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


def test_processes_that_are_left(stub: StubEngine) -> None:
    """The caller hears of them, and the status is the script's."""
    told: list[bool] = []
    stub.on("POST", ATTACH, attached(lambda keeper: keeper.connection.send(
        keeper.begins(), frame(2, keeper.line(2, b"3 left")), frame(1, keeper.line(1, b"3 left"))
    )))  # fmt: skip

    code = run_script(stub.engine(), "job-build", SCRIPT, leftovers=lambda: told.append(True))

    assert (code, told) == (3, [True])


# --- a container or an engine that is lost ----------------------------------------------------


def inspected(**state: object) -> bytes:
    return http(200, {"State": {"Running": True, "ExitCode": 0, "OOMKilled": False, **state}})


LOST = [
    (refusal(404, "no such container"), "is gone: something removed it"),
    (inspected(Running=False, ExitCode=137, OOMKilled=True), "ran out of memory"),
    (inspected(Running=False, ExitCode=137), "stopped while the job ran (exit code 137)"),
    (inspected(), "lost the script"),
    (http(500, b"<html>"), "is gone"),
    (http(200, b"[]"), "is gone"),
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


def test_a_status_on_one_stream_only_is_none(stub: StubEngine) -> None:
    """A stream that breaks after stdout's last line has lost what stderr had to say."""
    stub.on("GET", "/containers/job-build/json", refusal(404, ""))

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins(), frame(2, keeper.line(2, b"0")))

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(EnvironmentLost):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


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


class Signals:
    """The signals that reach the container, by way of execs."""

    def __init__(self, stub: StubEngine) -> None:
        self.got: list[str] = []
        self.came = threading.Condition()
        stub.on("POST", EXEC, self._create)
        stub.on("POST", "/exec/the-exec/start", UPGRADED)

    def wait_for(self, name: str) -> None:
        with self.came:
            assert self.came.wait_for(lambda: name in self.got, timeout=10)

    def _create(self, connection: Connection, received: Received) -> None:
        text = json.dumps(received.json()["Cmd"])
        with self.came:
            self.got += [name for name in ("TERM", "KILL") if f"_signal='{name}'" in text]
            self.came.notify_all()
        connection.send(http(201, {"Id": "the-exec"}))


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
    """Also one that goes on printing: silence is not what we wait for."""
    mocker.patch.object(module, "_GRACE_SECONDS", 0.3)
    signals = Signals(stub)
    ended = threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)
        deadline = time.monotonic() + 10
        while "KILL" not in signals.got and time.monotonic() < deadline:
            keeper.connection.send(frame(1, b"still here\n") if talks else b"")
            time.sleep(0.02)
        keeper.connection.send(keeper.ends(137))
        ended.set()

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(Cancelled):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())

    assert signals.got == ["TERM", "KILL"]
    assert ended.wait(5)


@pytest.mark.usefixtures("cancelling")
def test_a_script_that_no_signal_ends(stub: StubEngine, mocker: MockerFixture) -> None:
    """It may have become another user: the call ends, and its container is removed after it."""
    mocker.patch.object(module, "_GRACE_SECONDS", 0.1)
    mocker.patch.object(module, "_KILL_SECONDS", 0.1)
    signals, done = Signals(stub), threading.Event()

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins())
        os.kill(os.getpid(), signal.SIGTERM)
        done.wait(10)

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


@pytest.mark.parametrize("talks", [True, False])
def test_a_script_that_a_killed_call_left_is_ended(
    stub: StubEngine, mocker: MockerFixture, *, talks: bool
) -> None:
    """Nobody waits for it any more; also one that goes on printing gives way."""
    mocker.patch.object(module, "_BEGIN_SECONDS", 0.3)
    heard, signals = Heard(), Signals(stub)

    def act(keeper: Keeper) -> None:
        deadline = time.monotonic() + 10
        while "KILL" not in signals.got and time.monotonic() < deadline:
            keeper.connection.send(frame(1, b"of the other\n") if talks else b"")
            time.sleep(0.02)
        keeper.connection.send(keeper.begins(), frame(1, b"mine"), keeper.ends(0))

    stub.on("POST", ATTACH, attached(act))

    assert run_script(stub.engine(), "job-build", SCRIPT, sink=heard) == 0
    assert heard.on(1) == b"mine"
    assert signals.got == ["KILL"]


def test_a_keeper_that_takes_nothing_is_lost(stub: StubEngine, mocker: MockerFixture) -> None:
    """There is an end to waiting, and another container may take its place."""
    mocker.patch.object(module, "_BEGIN_SECONDS", 0.1)
    mocker.patch.object(blocked, "_SECONDS", 0.1)
    signals, done = Signals(stub), threading.Event()
    stub.on("GET", "/containers/job-build/json", inspected())

    def act(_keeper: Keeper) -> None:
        done.wait(10)

    stub.on("POST", ATTACH, attached(act))
    stub.on("POST", rf"{ATTACH}\?stream=1&stdin=1$", UPGRADED)

    with pytest.raises(ContainerLost, match="no longer accepts scripts") as caught:
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())
    done.set()

    assert not caught.value.begun
    assert "KILL" in signals.got
    # It would run the script twice if it got free only now.
    assert stub.asked("POST", "/containers/job-build/kill")


def test_a_sink_that_breaks_ends_the_call(stub: StubEngine) -> None:
    """gitlab-runner may be gone; nobody hears the rest."""

    def broken(_descriptor: int, _data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    stub.on("POST", ATTACH, attached(prints((1, b"out"))))

    with pytest.raises(EnvironmentLost, match="Broken pipe"):
        run_script(stub.engine(), "job-build", SCRIPT, sink=broken)


def test_writing_goes_on_where_a_pipe_is_full() -> None:
    """A write may take a part only."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    data = os.urandom(300_000)
    thread = threading.Thread(target=log.write_through, args=(writing, data))
    thread.start()
    got = b""
    while len(got) < len(data):
        try:
            got += os.read(reading, 4096)
        except BlockingIOError:
            time.sleep(0.001)
    thread.join(10)
    os.close(reading)
    os.close(writing)

    assert got == data
