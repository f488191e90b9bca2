"""What a stage knows at its end of the requests that it has sent."""

import threading

import pytest
from pytest_mock import MockerFixture

from executor.engine import gate as module
from executor.engine.gate import Gate
from executor.errors import Cancelled, EngineRefused, EngineUnavailable
from tests.patience import LONGEST_SECONDS


def test_nothing_begins_at_a_closed_gate() -> None:
    """Whoever closes it knows that nothing is under way."""
    gate = Gate()
    assert gate.do(lambda: "done") == "done"
    assert gate.close()
    with pytest.raises(Cancelled):
        gate.do(lambda: "never")


def test_a_request_that_takes_too_long_is_still_under_way(mocker: MockerFixture) -> None:
    """Nobody waits for it for ever, and nobody takes it for done."""
    mocker.patch.object(module, "_LONGEST_SECONDS", 0.05)
    gate, inside, go_on = Gate(), threading.Event(), threading.Event()

    def slowly() -> None:
        with gate.passing():
            inside.set()
            go_on.wait(LONGEST_SECONDS)

    thread = threading.Thread(target=slowly)
    thread.start()
    assert inside.wait(LONGEST_SECONDS)
    assert not gate.close()
    go_on.set()
    thread.join()
    assert gate.close()


def _fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "is_done"), [(EngineUnavailable("no answer"), False), (EngineRefused("no"), True)]
)
def test_a_request_without_an_answer_may_be_under_way(error: Exception, *, is_done: bool) -> None:
    """A refusal is an answer."""
    gate = Gate()
    with pytest.raises(type(error)):
        gate.do(lambda: _fail(error))
    assert gate.close() is is_done
