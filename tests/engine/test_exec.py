"""Commands that run in a container beside its program."""

import pytest

from executor.engine import exec as inside
from tests.engine.stub import (
    CREATED,
    UPGRADED,
    StubEngine,
    endless,
)


@pytest.mark.usefixtures("endless_program")
def test_a_question_has_an_end(stub: StubEngine) -> None:
    """What does not end has not succeeded."""
    assert inside.succeeds(stub.api(), "job-build", ("sh",), 0.3) is False


def test_what_a_command_prints_is_not_kept(stub: StubEngine) -> None:
    """One mebibyte is read of a program that prints for ever."""
    stub.on("POST", "/containers/job-build/exec", CREATED)
    stub.on("POST", "/exec/the-exec/start", endless(UPGRADED, b"y" * 60000))

    read = sum(len(each) for each in inside.output(stub.api(), "job-build", ("sh",), 30))

    assert read == 1024 * 1024
