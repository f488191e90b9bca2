"""What the rig tells the person who started it: one plain sentence a step."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class RigError(Exception):
    """The rig cannot be had here; the message says in one sentence what is missing."""


def say(sentence: str) -> None:
    """Print one sentence at once, also into a pipe."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Say what begins and how long it took, so that a long step does not look like a hang."""
    say(f"{doing} ...")
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds >= 1:
        say(f"  done in {seconds:.0f} s")
