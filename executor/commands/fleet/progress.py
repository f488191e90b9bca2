"""Shows people how far it is, where they watch."""

import sys

from executor.commands.fleet.listing import Progress
from executor.commands.fleet.options import Options


def progress(options: Options) -> Progress:
    """Return what takes how many runners are read, of how many."""
    return _bar if _is_watched(options) else _silence


def remark(options: Options, text: str) -> None:
    """Say what is waited for, to a person."""
    if _is_watched(options):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _is_watched(options: Options) -> bool:
    return not options.json and sys.stderr.isatty()


def _bar(done: int, all_of_them: int) -> None:
    """Leave nothing on the terminal at the end."""
    text = f"Read {done} of {all_of_them} runners" if done < all_of_them else ""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def _silence(done: int, all_of_them: int) -> None:
    """Say nothing: nobody watches."""
