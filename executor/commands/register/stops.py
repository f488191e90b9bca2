"""What stops `register`, as sentences, with the exit code of each."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from executor.bounds import InvalidToml
from executor.commands.gitlab.client import GitLabFailed
from executor.commands.gitlab.tokens import UnusableToken
from executor.commands.register.config_file import Busy, Changed
from executor.commands.register.config_text import Unchangeable
from executor.commands.register.document import Taken
from executor.commands.register.runner import RunnerFailed
from executor.commands.register.trials import Unfit
from executor.errors import SettingsError

FAILED, USAGE = 1, 2

_STOPS: dict[type[Exception], tuple[str, int]] = {
    GitLabFailed: ("{error} Nothing was registered.", FAILED),
    RunnerFailed: ("{error} Nothing was registered.", FAILED),
    Unfit: ("{error} Nothing was registered.", FAILED),
    UnusableToken: ("{unended}.", USAGE),
    SettingsError: ("{error}", USAGE),
    Taken: ("{error}", USAGE),
    InvalidToml: ("{config} is not TOML: {words}. Correct the file.", USAGE),
    UnicodeDecodeError: ("{config} is not UTF-8 text. Save it as UTF-8.", USAGE),
    Unchangeable: (
        (
            "{config} stays as it is: {words}. Add the runner by hand: `dind-executor register"
            " --print-template` prints it."
        ),
        USAGE,
    ),
    Busy: ("Another `dind-executor register` is at work. Try again later.", FAILED),
    Changed: (
        "{config} was changed meanwhile, and stays as it is. Nothing was registered.",
        FAILED,
    ),
    OSError: ("{path}: {why}.{advice} Nothing was registered.", FAILED),
}
ADVICE = {
    errno.EACCES: " Run this as root.",
    errno.EPERM: " Run this as root; `lsattr` shows whether the file may be changed at all.",
    errno.EBUSY: " It is mounted as a file: mount its directory instead.",
}
"""What to do about a fault of config.toml, or of its directory."""


class Stopped(Exception):
    """It ends here; the text is a sentence."""

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def sentences(config: Path) -> Iterator[None]:
    """Have whatever stops the command be one sentence."""
    try:
        yield
    except tuple(_STOPS) as error:
        sentence, code = next(_STOPS[each] for each in type(error).__mro__ if each in _STOPS)
        words = str(error) or type(error).__name__
        known = {
            "error": words[0].upper() + words[1:],
            "words": words,
            "config": config,
            "path": getattr(error, "filename", None) or config,
            "unended": (words[0].upper() + words[1:]).rstrip("."),
            "why": getattr(error, "strerror", None) or words,
            "advice": ADVICE.get(getattr(error, "errno", None) or 0, ""),
        }
        raise Stopped(sentence.format_map(known), code) from None
