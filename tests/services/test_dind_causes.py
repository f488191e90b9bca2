"""What the job log is told of a sidecar that does not serve."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.runner import notes
from executor.services import dind_causes
from executor.services.dind_causes import loss, never_answered
from tests.engine.stub import StubEngine, chunked, frame, http, refusal
from tests.services.sidecars import STARTED, ended


def test_a_script_that_has_lost_its_daemon(stub: StubEngine, answered: str) -> None:
    """The error has the sidecar's end and last words; what dockerd had come up with is no cause."""
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=137, OOMKilled=True))

    assert str(loss(stub.engine(), "job-dind", answered, 60)) == (
        "The dind sidecar ran out of memory (exit code 137). The script probably failed because it"
        " lost its Docker daemon. Retry the job. Its last log lines:\n  API listen on [::]:2376"
    )


def test_a_sidecar_that_ended_before_it_answered(stub: StubEngine, tmp_path: Path) -> None:
    """Its last words say why it did not come up."""
    notes.leave(str(tmp_path), notes.LISTENED, STARTED.encode())
    words = frame(2, b"error initializing graphdriver: driver not supported\n")
    stub.on("GET", "/containers/job-dind/logs", chunked(words))
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=1))

    told = str(loss(stub.engine(), "job-dind", str(tmp_path), 60))

    assert told.startswith("The dind sidecar exited with code 1. The script probably failed")
    assert "Likely cause: dockerd's storage driver does not work" in told


def running(address: str = "255.255.255.255") -> bytes:
    """Return an inspected sidecar that runs, as far as the engine knows."""
    networks = {"Networks": {"n": {"IPAddress": address}}}
    state = {"Running": True, "StartedAt": STARTED, "Pid": 0}
    return http(200, {"State": state, "NetworkSettings": networks})


def test_the_engine_knows_of_an_end_later_than_the_script(stub: StubEngine, answered: str) -> None:
    """A sidecar that seems to run and does not answer is looked at again."""
    stub.on("GET", "/containers/job-dind/json", running(), ended(ExitCode=2))
    stub.on("POST", "/containers/job-dind/exec", refusal(409, "the container is not running"))

    told = str(loss(stub.engine(), "job-dind", answered, 60))

    assert told.startswith("The dind sidecar exited with code 2.")


def test_a_sidecar_that_runs_on_without_its_daemon(
    stub: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """A dockerd that ended before it answered is missed, although its container runs."""
    mocker.patch.object(dind_causes, "_END_SECONDS", 0.0)
    notes.leave(str(tmp_path), notes.LISTENED, STARTED.encode())
    stub.on("GET", "/containers/job-dind/logs", chunked(frame(2, b"unknown flag\n")))
    stub.on("GET", "/containers/job-dind/json", running())

    told = str(loss(stub.engine(), "job-dind", str(tmp_path), 60))

    assert told.startswith(
        "The Docker daemon in the dind sidecar has ended, and the sidecar runs on."
    )
    assert "Likely cause: dockerd got a wrong argument" in told


def test_a_sidecar_that_listens_and_never_answers(
    stub: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """What is left of its time is over, and the message names the key."""
    mocker.patch.object(dind_causes, "_END_SECONDS", 0.0)
    mocker.patch.object(dind_causes, "listens", return_value=True)
    notes.leave(str(tmp_path), notes.LISTENED, STARTED.encode())
    stub.on("GET", "/containers/job-dind/logs", chunked())
    stub.on("GET", "/containers/job-dind/json", running())

    told = str(loss(stub.engine(), "job-dind", str(tmp_path), 1))

    assert told.startswith(
        "The dind sidecar did not answer within 1 seconds (`[dind] ready_timeout`)."
    )


def test_a_silent_sidecar_is_no_loss_of_after_script(
    stub: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Nobody waits for it there, so nobody knows."""
    mocker.patch.object(dind_causes, "_END_SECONDS", 0.0)
    notes.leave(str(tmp_path), notes.LISTENED, STARTED.encode())
    stub.on("GET", "/containers/job-dind/json", running())

    assert loss(stub.engine(), "job-dind", str(tmp_path), 0) is None


def test_a_failed_script_of_a_job_that_goes_on_without(stub: StubEngine, tmp_path: Path) -> None:
    """It is told again what the job has no daemon for."""
    notes.leave(str(tmp_path), notes.WITHOUT_DIND, b"The dind sidecar exited with code 1.")

    told = loss(stub.engine(), "job-dind", str(tmp_path), 60)

    assert str(told) == "The dind sidecar exited with code 1."
    assert stub.received == []


@pytest.mark.parametrize("note", [None, notes.OVERRUN])
def test_a_script_that_had_no_daemon_to_lose(
    stub: StubEngine, tmp_path: Path, note: str | None
) -> None:
    """Nobody asks for a sidecar that no script has begun beside, or that was ended with its job."""
    if note:
        notes.leave(str(tmp_path), notes.ANSWERED, STARTED.encode())
        notes.leave(str(tmp_path), note)

    assert loss(stub.engine(), "job-dind", str(tmp_path), 60) is None
    assert stub.received == []


@pytest.mark.parametrize("answer", [refusal(500, "no"), b""])
def test_an_engine_that_says_nothing_of_it(stub: StubEngine, answered: str, answer: bytes) -> None:
    """The script's own end is what counts."""
    stub.on("GET", "/containers/job-dind/json", answer)

    assert loss(stub.engine(), "job-dind", answered, 60) is None


CAUSES = {
    "mount: permission denied (are you root?)": "the sidecar lacks privileges that dockerd needs",
    "write /var/lib/docker: no space left on device": (
        "the disk of the engine's host is full (free space with `docker system prune`;"
    ),
    'failed to register "bridge" driver': "the host's kernel lacks a netfilter module",
    "error initializing graphdriver: driver": "dockerd's storage driver does not work",
    "unknown flag: --no-such-option": (
        "dockerd got a wrong argument (check `[dind] command` and the service's `command`)"
    ),
    "listen tcp: Address already in use": (
        "another process listens on dockerd's port (check the `command` of the dind service)"
    ),
}


@pytest.mark.parametrize(("printed", "cause"), CAUSES.items())
def test_the_likely_cause(stub: StubEngine, printed: str, cause: str) -> None:
    """The words of dockerd are shown, and before them what they stand for."""
    stub.on("GET", "/containers/job-dind/logs", chunked(frame(2, printed.encode())))

    told = str(never_answered(stub.engine(), "job-dind", 60))

    assert told.startswith(
        f"The dind sidecar did not answer within 60 seconds (`[dind] ready_timeout`). "
        f"Likely cause: {cause}"
    )
    assert told.endswith(f". Its last log lines:\n  {printed}")


def test_words_that_stand_for_nothing(stub: StubEngine) -> None:
    """The words are shown, and no cause is guessed."""
    stub.on("GET", "/containers/job-dind/logs", chunked(frame(1, b"one\ntwo\n")))

    told = str(never_answered(stub.engine(), "job-dind", 60))

    assert told.endswith("(`[dind] ready_timeout`). Its last log lines:\n  one\n  two")


def test_a_sidecar_that_printed_nothing(stub: StubEngine) -> None:
    """The author is asked whether the image starts a daemon at all."""
    stub.on("GET", "/containers/job-dind/logs", chunked())

    assert "It printed nothing. Check that its image starts a Docker daemon." in str(
        never_answered(stub.engine(), "job-dind", 60)
    )
