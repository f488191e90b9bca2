"""What a container prints: frames, and in them a script's output."""

import itertools
import threading

import pytest
from pytest_mock import MockerFixture

from executor.errors import EnvironmentLost
from executor.scripts import output as output_module
from executor.scripts.output import Output
from executor.scripts.script import run_script
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    byte_by_byte,
    frame,
    refusal,
)
from tests.limited import limited
from tests.patience import LONGEST_SECONDS
from tests.scripts.keepers import ATTACH, SCRIPT, Heard, Keeper, attached, prints


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
        done.wait(LONGEST_SECONDS)

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


def test_processes_that_are_left(stub: StubEngine) -> None:
    """The caller hears of them, and the status is the script's."""
    told: list[bool] = []
    stub.on("POST", ATTACH, attached(lambda keeper: keeper.connection.send(
        keeper.begins(), frame(2, keeper.line(2, b"3 left")), frame(1, keeper.line(1, b"3 left"))
    )))  # fmt: skip

    code = run_script(stub.engine(), "job-build", SCRIPT, leftovers=lambda: told.append(True))

    assert (code, told) == (3, [True])


def test_a_status_on_one_stream_only_is_none(stub: StubEngine) -> None:
    """A stream that breaks after stdout's last line has lost what stderr had to say."""
    stub.on("GET", "/containers/job-build/json", refusal(404, ""))

    def act(keeper: Keeper) -> None:
        keeper.connection.send(keeper.begins(), frame(2, keeper.line(2, b"0")))

    stub.on("POST", ATTACH, attached(act))

    with pytest.raises(EnvironmentLost):
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())


def test_a_line_that_only_begins_as_the_keepers() -> None:
    """A script may find out the nonce; what never becomes the keeper's line is passed on."""
    heard: list[bytes] = []
    output = Output("nonce", lambda _descriptor, data: heard.append(data))
    output(1, b"\0nonce 1 begins\n")

    for each in itertools.chain([b"\0nonce"], itertools.repeat(b"x" * 50, 1000)):
        output(1, each)

    assert b"".join(heard) == b"\0nonce" + b"x" * 50000


@pytest.mark.parametrize(
    "forged",
    [
        b"\0nonce\n",
        b"\0nonce 1\n",
        b"\0nonce 3 0\n",
        b"\0nonce 1 -1\n",
        b"\0nonce 1 1_0\n",
        b"\0nonce 1 " + b"9" * 50 + b"\n",
        b"\0nonce 2 \xff\n",
        b"\0nonce 1 ",
    ],
)
def test_a_line_that_no_keeper_says_is_the_scripts(forged: bytes) -> None:
    """A script may find out the nonce: what it forges badly is output, and the keeper's end counts."""
    heard: list[bytes] = []
    output = Output("nonce", lambda _descriptor, data: heard.append(data))
    output(1, b"\0nonce 1 begins\n\0nonce 2 begins\n" + forged)

    assert output(1, b"\0nonce 2 9\n\0nonce 1 9\n")

    assert output.exit_code == 9
    assert b"".join(heard) == forged


def test_marks_without_number_take_time_in_proportion() -> None:
    """A script may find out the nonce, and print nothing but the keeper's mark."""
    assert (
        limited("""
from executor.scripts.output import Output
heard = []
output = Output("nonce", lambda _descriptor, data: heard.append(len(data)))
output(1, b"\\0nonce 1 begins\\n")
output(1, b"\\0nonce " * 50_000 + b"\\n")
print(sum(heard))
""")
        == "350001\n"
    )
