"""What is said of a sidecar that ended, where a real one cannot be made to end that way."""

from pathlib import Path

import pytest

from executor.errors import ServiceNotReady
from executor.runner import notes
from executor.services.dind import wait_until_ready
from executor.services.dind_causes import warn_of_end
from tests.engine.stub import StubEngine, chunked, frame, http, refusal

STARTED = "2026-01-01T12:00:00.123456789Z"


def ended(**state: object) -> bytes:
    """Return an inspected sidecar that does not run any more."""
    return http(200, {"State": {"Running": False, "StartedAt": STARTED, **state}})


@pytest.fixture
def answered(stub: StubEngine, tmp_path: Path) -> str:
    """Return the temporary directory of a job whose sidecar has answered, and then printed this."""
    words = frame(2, b"error: address already in use\n")
    stub.on("GET", "/containers/job-dind/logs", chunked(words))
    notes.leave(str(tmp_path), notes.ANSWERED, STARTED.encode())
    return str(tmp_path)


def test_a_sidecar_that_ran_out_of_memory(stub: StubEngine, answered: str) -> None:
    """It is said; what it last printed is no reason why it would not come up."""
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=137, OOMKilled=True))

    with pytest.raises(ServiceNotReady) as caught:
        wait_until_ready(stub.api(), "job-dind", answered, 5)

    assert str(caught.value) == (
        "The dind sidecar ran out of memory (exit code 137). It had answered before, and the script"
        " is not run without its Docker daemon: run the job again, which gets a new one. Its last"
        " log lines:\n  error: address already in use"
    )


def test_the_author_of_a_failed_script_is_told(
    stub: StubEngine, answered: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=137, OOMKilled=True))

    warn_of_end(stub.api(), "job-dind", answered)

    told = (
        "WARNING: The dind sidecar ran out of memory (exit code 137): the script has probably"
        " failed because it has no Docker daemon any more.\n"
    )
    assert capfd.readouterr() == ("", told)


def test_the_engine_knows_of_an_end_later_than_the_script(
    stub: StubEngine, answered: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A sidecar that seems to run and does not answer is looked at again."""
    address = {"Networks": {"n": {"IPAddress": "255.255.255.255"}}}
    runs = http(
        200,
        {"State": {"Running": True, "StartedAt": STARTED}, "NetworkSettings": address},
    )
    stub.on("GET", "/containers/job-dind/json", runs, ended(ExitCode=2))
    stub.on("POST", "/containers/job-dind/exec", refusal(409, "the container is not running"))

    warn_of_end(stub.api(), "job-dind", answered)

    assert capfd.readouterr().err.startswith("WARNING: The dind sidecar exited with code 2: ")


@pytest.mark.parametrize("answer", [refusal(500, "no"), b""])
def test_an_engine_that_says_nothing_of_it(
    stub: StubEngine, answered: str, capfd: pytest.CaptureFixture[str], answer: bytes
) -> None:
    """The script's own end is what counts."""
    stub.on("GET", "/containers/job-dind/json", answer)

    warn_of_end(stub.api(), "job-dind", answered)

    assert capfd.readouterr() == ("", "")
