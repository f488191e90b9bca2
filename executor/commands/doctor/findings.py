"""What a check finds: how bad it is, what was seen, what should be seen, and what to do.  Pure."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from executor.commands.doctor.facts import Facts


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """Some jobs will fail, or an incident is prepared."""
    FAIL = "fail"
    ERROR = "error"
    """The check itself failed."""
    SKIP = "skip"
    """It could not be looked at from here."""


BAD = frozenset((Level.FAIL, Level.ERROR))


class Finding(NamedTuple):
    """What a check found."""

    level: Level
    found: str
    expected: str = ""
    remedy: str = ""


class CannotTell(Exception):
    """A check cannot be made from here; the text says why."""


Look = Callable[["Facts"], Iterable[Finding]]
"""Yields what is wrong, and an `ok` at the end, which counts if nothing is.  Raises CannotTell."""


class Check(NamedTuple):
    """A check of the table."""

    id: str
    group: str
    look: Look
    needs_engine: bool = False
    """Whether it is skipped where the engine does not answer."""
    needs_host: bool = False
    """Whether it is skipped where this process does not see the engine's host."""
    needs_runner: bool = False
    """Whether it is skipped where config.toml has no runner of ours."""
    online: bool = False
    """Whether it asks others over the network, and is made with --online alone."""
    seconds: float = 5.0
    """How long it may take."""


class Result(NamedTuple):
    """A finding, and whose it is."""

    check: Check
    finding: Finding
    seconds: float = 0.0
    ignored: bool = False

    @property
    def counts(self) -> bool:
        """Tell whether the exit code takes notice of it."""
        return not self.ignored


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: 1 job, 2 jobs."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def ok(found: str) -> Finding:
    """Return that something is right."""
    return Finding(Level.OK, found)


def warn(found: str, expected: str, remedy: str) -> Finding:
    """Return that some jobs will fail, or that an incident is prepared."""
    return Finding(Level.WARN, found, expected, remedy)


def fail(found: str, expected: str, remedy: str) -> Finding:
    """Return that jobs fail."""
    return Finding(Level.FAIL, found, expected, remedy)


def skip(why: str) -> Finding:
    """Return that something could not be looked at."""
    return Finding(Level.SKIP, why)


def settled(found: Iterable[Finding]) -> list[Finding]:
    """Return what is wrong; what could not be looked at, and the last `ok`, if nothing is."""
    everything = list(found)
    wrong = [each for each in everything if each.level not in {Level.OK, Level.SKIP}]
    skipped = [each for each in everything if each.level is Level.SKIP]
    right = [each for each in everything if each.level is Level.OK][-1:]
    nothing = Finding(Level.ERROR, "the check found nothing to say")
    return wrong or [*right, *skipped] or [nothing]
