"""What the job log is told of a sidecar that does not serve."""

import pytest

from executor.services.dind_causes import never_answered, warn_of_end
from tests.engine.stub import StubEngine, chunked, frame, http, refusal
from tests.services.sidecars import STARTED, ended


def test_the_author_of_a_failed_script_is_told(
    stub: StubEngine, answered: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The job log has one line about it, after the script's own output."""
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=137, OOMKilled=True))

    warn_of_end(stub.engine(), "job-dind", answered)

    told = (
        "WARNING: The dind sidecar ran out of memory (exit code 137): the script probably"
        " failed because it lost its Docker daemon. Retry the job.\n"
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

    warn_of_end(stub.engine(), "job-dind", answered)

    assert capfd.readouterr().err.startswith("WARNING: The dind sidecar exited with code 2: ")


@pytest.mark.parametrize("answer", [refusal(500, "no"), b""])
def test_an_engine_that_says_nothing_of_it(
    stub: StubEngine, answered: str, capfd: pytest.CaptureFixture[str], answer: bytes
) -> None:
    """The script's own end is what counts."""
    stub.on("GET", "/containers/job-dind/json", answer)

    warn_of_end(stub.engine(), "job-dind", answered)

    assert capfd.readouterr() == ("", "")


CAUSES = {
    "mount: permission denied (are you root?)": "the sidecar lacks privileges that dockerd needs",
    "write /var/lib/docker: no space left on device": (
        "the disk of the engine's host is full (free space with `docker system prune`)"
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
