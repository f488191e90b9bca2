"""Regular expressions of whoever writes a pipeline, which take no more time than their text is long.

GitLab has RE2 for them, and so has this where `google-re2` is installed (the extra `local`).  Elsewhere
Python's own engine has a limit of time, as some expressions would keep it busy for years.  Pure.
"""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

try:
    import re2

except ImportError:
    re2 = None

_MOST_CPU_SECONDS = 2.0
_LONGEST = 10_000


class BadExpression(ValueError):
    """A regular expression that is none, or takes too long; the text says why."""


class Expression:
    """A regular expression with its flags, `i`, `m` and `s`."""

    def __init__(self, pattern: str, flags: str = "") -> None:
        """Compile it; raises BadExpression."""
        if len(pattern) > _LONGEST:
            raise BadExpression(f"it has more than {_LONGEST} characters")
        whole = f"(?{flags}){pattern}" if flags else pattern
        try:
            # In RE2, and so in GitLab, an escaped slash is a slash; Python agrees.
            self._compiled = re2.compile(whole, _quiet()) if re2 else re.compile(whole)
        except Exception as error:  # noqa: BLE001 (those of either engine)
            raise BadExpression(str(error)) from None

    def is_in(self, text: str) -> bool:
        """Tell whether a part of the text matches; raises BadExpression."""
        with _limited():
            return self._compiled.search(text) is not None

    def fits(self, text: str) -> bool:
        """Tell whether the whole text matches; raises BadExpression."""
        with _limited():
            return self._compiled.fullmatch(text) is not None


def _quiet() -> object:
    options = re2.Options()
    options.log_errors = False
    return options


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupt Python's engine, which looks for signals, when its time is over."""
    if re2:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, _MOST_CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise BadExpression(f"it takes longer than {_MOST_CPU_SECONDS:.0f} seconds; simplify it")
