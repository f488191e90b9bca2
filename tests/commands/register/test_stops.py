"""Whatever stops `register` is one sentence with an exit code."""

from pathlib import Path

import pytest

from executor.bounds import InvalidToml
from executor.commands.gitlab.client import GitLabFailed
from executor.commands.gitlab.tokens import UnusableToken
from executor.commands.register.config_file import Busy, Changed
from executor.commands.register.config_text import Unchangeable
from executor.commands.register.stops import Stopped, sentences

CONFIG = Path("/etc/gitlab-runner/config.toml")


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (GitLabFailed("GitLab is {away}."), "GitLab is {away}. Nothing was registered.", 1),
        (UnusableToken("the file is open"), "The file is open.", 2),
        (UnusableToken("no such file. Check it."), "No such file. Check it.", 2),
        (InvalidToml("line 3"), f"{CONFIG} is not TOML: line 3. Correct the file.", 2),
        (Busy(), "Another `dind-executor register` is at work. Try again later.", 1),
        (
            Changed(),
            f"{CONFIG} was changed meanwhile, and stays as it is. Nothing was registered.",
            1,
        ),
        (
            PermissionError(13, "Permission denied", "/etc/x"),
            "/etc/x: Permission denied. Run this as root. Nothing was registered.",
            1,
        ),
        (OSError("strange"), f"{CONFIG}: strange. Nothing was registered.", 1),
        (
            OSError(16, "Device or resource busy", "/etc/x"),
            (
                "/etc/x: Device or resource busy. It is mounted as a file: mount its directory"
                " instead. Nothing was registered."
            ),
            1,
        ),
    ],
)
def test_what_stops_it(error: Exception, sentence: str, code: int) -> None:
    """It says what stands, and what to do."""
    with pytest.raises(Stopped) as raised, sentences(CONFIG):
        raise error

    assert (str(raised.value), raised.value.code) == (sentence, code)


def test_a_file_that_stays_names_the_way_by_hand() -> None:
    """A template is what is left then."""
    with pytest.raises(Stopped, match="--print-template") as raised, sentences(CONFIG):
        raise Unchangeable("its `runners` is odd")

    assert str(raised.value).startswith(f"{CONFIG} stays as it is: its `runners` is odd. ")


def test_a_fault_of_its_own_is_none_of_them() -> None:
    """It is not hidden behind a sentence."""
    with pytest.raises(ZeroDivisionError), sentences(CONFIG):
        raise ZeroDivisionError
