"""What of a service's log is new to the job log."""

import pytest

from executor.services.logs import ServiceLog

Frames = list[tuple[int, bytes]]


def at(nanoseconds: int) -> str:
    """Return a time in the engine's form, within one second."""
    return f"2024-02-29T23:59:59.{nanoseconds:09d}Z"


def message(nanoseconds: int, text: str, descriptor: int = 1) -> tuple[int, bytes]:
    """Return a message of the engine's log."""
    return descriptor, f"{at(nanoseconds)} {text}".encode()


def printed(log: ServiceLog, frames: Frames, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that these messages print, without prefix, colour and time."""
    log.take(frames)
    log.finish()
    lines = capfd.readouterr().out.splitlines()
    assert all(line.startswith("\033[0;37m[service:db] ") for line in lines)
    assert all(line.endswith("\033[0;m") for line in lines)
    return [line.removesuffix("\033[0;m").split(" ", 2)[2] for line in lines]


def resumed(log: ServiceLog) -> ServiceLog:
    """Return the log as the next stage reads it."""
    found = log.remembered()["printed"]
    assert isinstance(found, dict)
    later = ServiceLog("c", "db", found)
    later.since()
    return later


def test_it_begins_at_the_beginning() -> None:
    """The first request names no time, so the log comes from its beginning."""
    assert ServiceLog("c", "db", {}).since() == ""


def test_it_goes_on_a_moment_before_it_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    """What stands there twice is printed once."""
    log = ServiceLog("c", "db", {})
    assert printed(log, [message(1, "a\n"), message(300_000_000, "b\n")], capfd) == ["a", "b"]

    later = resumed(log)
    since = later.since()

    assert since == "1709251199.200000000"
    assert printed(later, [message(300_000_000, "b\n"), message(300_000_001, "c\n")], capfd) == [
        "c"
    ]


def test_messages_of_one_moment(capfd: pytest.CaptureFixture[str]) -> None:
    """As many as were printed are passed over, and no more."""
    log = ServiceLog("c", "db", {})
    assert printed(log, [message(5, "a\n"), message(5, "b\n")], capfd) == ["a", "b"]

    later = resumed(log)

    frames = [message(5, "a\n"), message(5, "b\n"), message(5, "c\n")]
    assert printed(later, frames, capfd) == ["c"]
    assert printed(resumed(later), frames, capfd) == []


def test_messages_that_are_late(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard error may be written behind what standard output said later."""
    log = ServiceLog("c", "db", {})
    assert printed(log, [message(9, "later\n")], capfd) == ["later"]

    later = resumed(log)

    assert printed(later, [message(9, "later\n"), message(8, "late\n", 2)], capfd) == ["late"]


def test_a_line_in_pieces(capfd: pytest.CaptureFixture[str]) -> None:
    """It is one line, also where both streams print at once."""
    log = ServiceLog("c", "db", {})

    frames = [message(1, "one "), message(2, "x\n", 2), message(1, "line\n"), message(3, "rest")]

    assert printed(log, frames, capfd) == ["x", "one line", "rest"]


def test_a_line_without_an_end(capfd: pytest.CaptureFixture[str]) -> None:
    """It comes in parts, as nobody has the memory to wait for its end."""
    log = ServiceLog("container", "web", {})
    for number in range(64):
        log.take([message(number, "x" * 16384)])
    shown = capfd.readouterr().out

    log.finish()
    assert shown.count("x") > 16384 * 32
    assert (shown + capfd.readouterr().out).count("x") == 16384 * 64


def test_old_moments_are_forgotten(capfd: pytest.CaptureFixture[str]) -> None:
    """What the next stage will not look at is not written down."""
    log = ServiceLog("c", "db", {})
    printed(log, [message(n * 50_000_000, f"{n}\n") for n in range(10)], capfd)

    assert log.remembered()["printed"] == {at(n * 50_000_000): 1 for n in (7, 8, 9)}
