"""The job log: masking, prefixes, whole lines."""

import io
import os

import pytest

from executor.local.runner.job_log import JobLog, Masker, Terminal

SECRETS = ("hunter22", "hunter22-longer", "")


def a_log(stream: io.StringIO, prefix: str = "") -> JobLog:
    return JobLog(Terminal(stream), Masker(SECRETS), prefix)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_secret_is_masked_however_it_arrives(size: int) -> None:
    """The longest secret goes first, also when it comes in pieces."""
    stream = io.StringIO()
    sink = a_log(stream).stream()
    content = b"a hunter22 b\nhunter22-longer\nlast hunter22"
    for start in range(0, len(content), size):
        sink.feed(content[start : start + size])
    sink.close()
    assert stream.getvalue() == "a [MASKED] b\n[MASKED]\nlast [MASKED]\n"


@pytest.mark.parametrize("offset", range(16))
def test_a_secret_is_masked_across_the_pieces_of_an_endless_line(offset: int) -> None:
    """A line without end is shown in pieces, and no piece ends in half a secret."""
    stream = io.StringIO()
    sink = a_log(stream).stream()
    sink.feed(b"x" * (65536 - offset))
    sink.feed(b"hunter22-longer")
    sink.feed(b"y" * 70000)
    sink.close()
    text = stream.getvalue().replace("\n", "")
    assert text == "x" * (65536 - offset) + "[MASKED]" + "y" * 70000


def test_a_prefix_stands_before_every_line() -> None:
    """Each line of a message of several lines has the prefix."""
    stream = io.StringIO()
    log = a_log(stream, "job | ")
    log.say("one\ntwo hunter22")
    sink = log.stream("cleanup: ")
    sink.feed(b"three\n\n")
    sink.close()
    expected = "job | one\njob | two [MASKED]\njob | cleanup: three\njob | cleanup: \n"
    assert expected == stream.getvalue()


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    """A job may print anything."""
    stream = io.StringIO()
    sink = a_log(stream).stream()
    sink.feed(b"\xff\xfe\n")
    assert stream.getvalue() == "\ufffd\ufffd\n"


def test_there_is_no_colour_without_a_terminal() -> None:
    """A pipe gets plain text."""
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.say("plain", colour="\x1b[31m")
    assert stream.getvalue() == "plain\n"
    assert terminal.prefix("job", width=5, index=0) == "job   | "


def test_jobs_go_on_when_nobody_reads() -> None:
    """`| head` ends the reading, not the cleaning up."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        terminal = Terminal(stream)
        terminal.say("x" * 100_000)
        terminal.say("more")


def test_the_marks_of_sections_are_for_gitlab() -> None:
    """Nothing opens on a terminal; a line with nothing else is left out, an empty one stays."""
    stream = io.StringIO()
    sink = a_log(stream, "job | ").stream()
    sink.feed(
        b"section_start:1795936247:x_y.z-1[collapsed=true,hide_duration=true]\r\x1b[0KHead\n\n"
    )
    sink.feed(b"section_end:1795936247:a\r\x1b[0K\nsection_start:1:b\rtext section_start: no\n")
    sink.feed(b"section_end:1795936247:x_y.z-1\r\x1b[0K")
    sink.close()
    assert stream.getvalue() == "job | Head\njob | \njob | text section_start: no\n"
