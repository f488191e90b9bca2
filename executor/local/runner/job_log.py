"""The job log on the terminal: whole lines, secrets masked, prefixed where jobs run in parallel."""

import os
import re
import threading
from collections.abc import Iterable
from typing import Protocol, TextIO

from executor.local.runner.colours import RESET, coloured
from executor.redaction import MASK

_PREFIX_COLOURS = ("\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[33m", "\x1b[32m")

_MASK = MASK.encode()
_SECTION = re.compile(rb"section_(?:start|end):\d+:[\w.-]+(?:\[[^]\r]*\])?\r(?:\x1b\[0K)?")
"""By what GitLab shows a part of a job log when it is opened; nothing opens here."""
# A line this long is shown in pieces, so that endless output without a newline is seen at all.
_LONGEST_LINE = 65536


class Sink(Protocol):
    """Where the bytes of a stream go."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> None:
        """Take note that there are no more."""


class Capture:
    """Keeps what a stream says."""

    def __init__(self) -> None:
        self.content = b""

    def feed(self, chunk: bytes) -> None:
        """Keep the bytes."""
        self.content += chunk

    def close(self) -> None:
        """Nothing is left to do."""


class Masker:
    """Replaces secrets in text; the longest first, as one may contain another.

    The rule is gitlab-runner's, so tokens and passwords that are no masked variable stay, which
    `redaction.redact` would take out. It works on bytes, as jobs print what they like.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        encoded = {secret.encode() for secret in secrets if secret}
        self._secrets = sorted(encoded, key=len, reverse=True)

    @property
    def longest(self) -> int:
        """The length of the longest secret, in bytes."""
        return len(self._secrets[0]) if self._secrets else 0

    def mask(self, text: bytes) -> bytes:
        """Return the text without its secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


class Terminal:
    """Where all jobs write: one whole line at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._is_open = True
        self.is_coloured = stream.isatty() and not os.environ.get("NO_COLOR")

    def write(self, text: str) -> None:
        """Show text; whoever reads it may have gone, the jobs go on."""
        with self._lock:
            if not self._is_open:
                return
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError:
                self._is_open = False
                # What is buffered still must not fail when the interpreter flushes it.
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)

    def say(self, text: str, *, colour: str = "") -> None:
        """Show a line of our own."""
        self.write(f"{coloured(text, colour if self.is_coloured else '')}\n")

    def prefix(self, name: str, *, width: int, index: int) -> str:
        """Return what stands before the lines of one of several jobs."""
        padded = f"{name.ljust(width)} | "
        if not self.is_coloured:
            return padded
        return f"{_PREFIX_COLOURS[index % len(_PREFIX_COLOURS)]}{padded}{RESET}"


class JobLog:
    """The log of one job."""

    def __init__(self, terminal: Terminal, masker: Masker, prefix: str = "") -> None:
        self._terminal = terminal
        self._masker = masker
        self._prefix = prefix

    @property
    def is_coloured(self) -> bool:
        """Whether scripts may use colour."""
        return self._terminal.is_coloured

    def say(self, text: str, *, colour: str = "") -> None:
        """Show a line of the runner, masked too: an error may quote anything."""
        shown = self._masker.mask(text.encode()).decode("utf-8", "replace")
        shown = coloured(shown, colour if self._terminal.is_coloured else "")
        self._terminal.write("".join(f"{self._prefix}{line}\n" for line in shown.split("\n")))

    def stream(self, label: str = "") -> "LineStream":
        """Return a sink for what a process writes."""
        return LineStream(self._terminal, self._masker, self._prefix + label)


class LineStream:
    """A sink that shows whole lines, masked and prefixed."""

    def __init__(self, terminal: Terminal, masker: Masker, prefix: str) -> None:
        self._terminal = terminal
        self._masker = masker
        self._prefix = prefix
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Show the lines that are complete now."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._show(lines)
        if len(self._rest) > _LONGEST_LINE:
            # The end of the piece may be the start of a secret: it waits for what follows.
            masked = self._masker.mask(self._rest)
            kept = max(self._masker.longest - 1, 0)
            self._rest = masked[len(masked) - kept :]
            self._show([masked[: len(masked) - kept]])

    def close(self) -> None:
        """Show what has no newline at its end."""
        if self._rest:
            self._show([self._rest])
            self._rest = b""

    def _show(self, lines: list[bytes]) -> None:
        plain = [(line, _SECTION.sub(b"", line)) for line in lines]
        text = "".join(
            f"{self._prefix}{self._masker.mask(shown).decode('utf-8', 'replace')}\n"
            for line, shown in plain
            if shown or not line
        )
        if text:
            self._terminal.write(text)
