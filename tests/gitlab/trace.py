"""What a job log says, without colours, sections and timestamps. Pure."""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SECTION = re.compile(r"section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?\r")
# On by default from 18.7: the time, the stream, the kind, and + for a line that goes on.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \d\d[OE]([ +])", re.MULTILINE)


def plain(trace: bytes) -> str:
    """Return the text that a reader of the job log sees."""
    text = trace.decode(errors="replace")
    if _TIMESTAMP.match(text):
        text = re.sub(r"\n\S+ \d\d[OE]\+", "", text)
        text = _TIMESTAMP.sub("", text)
    return _SECTION.sub("", _COLOUR.sub("", text)).replace("\r\n", "\n")


def lines(trace: bytes) -> list[str]:
    """Return the lines of the job log, without the empty ones."""
    return [line.rstrip() for line in plain(trace).splitlines() if line.strip()]
