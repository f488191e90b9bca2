"""A keeper that does not begin a script: what is freed, and what is lost."""

import threading
import time

import pytest
from pytest_mock import MockerFixture

from executor.errors import ContainerLost
from executor.scripts import blocked
from executor.scripts import script as module
from executor.scripts.script import run_script
from tests.engine.stub import (
    UPGRADED,
    StubEngine,
    frame,
)
from tests.patience import LONGEST_SECONDS
from tests.scripts.keepers import ATTACH, SCRIPT, Heard, Keeper, Signals, attached, inspected


@pytest.mark.parametrize("talks", [True, False])
def test_a_script_that_a_killed_call_left_is_ended(
    stub: StubEngine, mocker: MockerFixture, *, talks: bool
) -> None:
    """Nobody waits for it any more; also one that goes on printing gives way."""
    mocker.patch.object(module, "_BEGIN_SECONDS", 0.3)
    heard, signals = Heard(), Signals(stub)

    def act(keeper: Keeper) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
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
        done.wait(LONGEST_SECONDS)

    stub.on("POST", ATTACH, attached(act))
    stub.on("POST", rf"{ATTACH}\?stream=1&stdin=1$", UPGRADED)

    with pytest.raises(ContainerLost, match="no longer accepts scripts") as caught:
        run_script(stub.engine(), "job-build", SCRIPT, sink=Heard())
    done.set()

    assert not caught.value.begun
    assert "KILL" in signals.got
    # It would run the script twice if it got free only now.
    assert stub.asked("POST", "/containers/job-build/kill")
