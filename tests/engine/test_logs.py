"""The last that a container printed, of which a job may have any amount."""

from collections.abc import Iterator

from executor.engine import logs as last_output
from executor.services.health import service_log
from tests.engine.stub import (
    StubEngine,
    chunked,
    frame,
)


def pieces(*found: bytes) -> Iterator[bytes]:
    """Return frames of an endless log's end."""
    return (frame(1, each) for each in found)


def test_the_end_of_a_log_is_kept(stub: StubEngine) -> None:
    """Whole lines are kept, and 64 KiB of them at most."""
    numbered = (b"%d %s\n" % (number, b"x" * 16000) for number in range(100))
    stub.on("GET", "/containers/job-svc-0/logs", chunked(*pieces(*numbered)))

    log = service_log(stub.engine(), "job-svc-0")

    assert len(log) <= last_output.MOST_BYTES
    assert log.split()[::2] == ["96", "97", "98", "99"]


def test_a_line_of_a_log_that_is_too_long_by_itself(stub: StubEngine) -> None:
    """Only the end of the line is kept."""
    long = (b"x" * 16000 for _ in range(10))
    stub.on("GET", "/containers/job-svc-0/logs", chunked(*pieces(*long, b"the end")))

    log = service_log(stub.engine(), "job-svc-0")

    assert len(log) == last_output.MOST_BYTES
    assert log.endswith("xthe end")


def test_what_a_receiver_says_is_no_part_of_a_services_log(stub: StubEngine) -> None:
    """Its lines are for us; those of another name are the service's own."""
    ours = b"2024-01-31T12:00:00.123456789Z dind-executor: job-svc-0 has its files\n"
    others = b"2024-01-31T12:00:00.123456789Z dind-executor: job-svc-1 has its files\n"
    stub.on("GET", "/containers/job-svc-0/logs", chunked(*pieces(ours, others)))
    heard: list[bytes] = []

    log = service_log(stub.engine(), "job-svc-0")

    def take(_descriptor: int, data: bytes) -> bool:
        heard.append(data)
        return False

    stub.engine().copy_output("job-svc-0", take, 5.0)

    assert log.encode() + b"\n" == others
    assert heard == [others]
