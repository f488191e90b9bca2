"""Signals for what a script started in its container."""

import pytest
from pytest_mock import MockerFixture

from executor.scripts import signals
from tests.engine.stub import StubEngine


@pytest.mark.usefixtures("endless_program")
def test_a_signal_has_an_end(stub: StubEngine, mocker: MockerFixture) -> None:
    """The shell that signals a script may be the script's own program."""
    mocker.patch.object(signals, "_SECONDS", 0.3)
    signals.signal_script(stub.api(), "job-build", "TERM")
