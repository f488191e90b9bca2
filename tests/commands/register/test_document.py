"""What config.toml says, and whether one more runner may join."""

from pathlib import Path

import pytest

from executor.commands.register.config_file import ConfigFile
from executor.commands.register.document import AlreadyThere, Document, Taken
from executor.commands.register.options import Options, read_options
from executor.commands.register.section import (
    UNKNOWN_TOKEN,
    Paths,
    Registration,
    section_text,
)

URL = "https://gitlab.example.com"
RUNNER = Registration("builder", URL, "glrt-0123456789abcdefghij")
OTHER = Registration("other", URL, "glrt-abcdefghijklmnopqrst")
NEW = Registration("builder", URL, "")


def options(*args: str) -> Options:
    return read_options(["--url", URL, "--name", "builder", *args])


def document(tmp_path: Path, text: str, *args: str) -> Document:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return Document.read(ConfigFile(path), options("--config", str(path), *args))


@pytest.mark.parametrize(
    ("text", "args", "settings"),
    [
        ("", (), {"shutdown_timeout": 120}),
        ("shutdown_timeout = 0\n", (), {"shutdown_timeout": 120}),
        ("Shutdown_Timeout = 30\n", (), {}),
        ("shutdown_timeout = 30\n", ("--concurrent", "4"), {"concurrent": 4}),
    ],
)
def test_what_is_set_above_the_runners(
    tmp_path: Path, text: str, args: tuple[str, ...], settings: dict[str, int]
) -> None:
    """What was asked for, and time for cleanup where nobody chose any."""
    assert document(tmp_path, text, *args).settings == settings


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 3), ("check_interval = 0\n", 3), ("check_interval = 9\n", 9)]
)
def test_how_often_jobs_are_asked_for(tmp_path: Path, text: str, seconds: int) -> None:
    """gitlab-runner's own default is 3 seconds, also for a 0."""
    assert document(tmp_path, text).check_interval == seconds


def test_who_may_join(tmp_path: Path) -> None:
    """A runner whose name and token are new."""
    text = section_text(OTHER, Paths())

    document(tmp_path, text).check(RUNNER)
    document(tmp_path, text).check(NEW)


def test_who_is_there_already(tmp_path: Path) -> None:
    """The same token, or the same name of one that is to be created."""
    found = document(tmp_path, section_text(RUNNER, Paths()).replace(URL, f"{URL}/"))

    for each in (RUNNER, RUNNER._replace(name="another"), NEW):
        with pytest.raises(AlreadyThere, match=r"has the runner .builder. already"):
            found.check(each)


@pytest.mark.parametrize(
    ("wanted", "paths", "words"),
    [
        (RUNNER, Paths("/elsewhere"), "has the token already"),
        (RUNNER._replace(token=OTHER.token), Paths(), "a runner with the name 'builder'"),
        (NEW, Paths("/elsewhere"), "a runner with the name 'builder'"),
        (NEW._replace(url="https://other.example.com"), Paths(), "a runner with the name"),
    ],
)
def test_who_may_not_join(tmp_path: Path, wanted: Registration, paths: Paths, words: str) -> None:
    """A token or a name that another runner has, and no sentence has the token."""
    with pytest.raises(Taken, match=words) as raised:
        document(tmp_path, section_text(RUNNER, paths)).check(wanted)

    assert "glrt-" not in str(raised.value)


@pytest.mark.parametrize(
    ("left", "token"),
    [
        (section_text(RUNNER, Paths()), RUNNER.token),
        (section_text(RUNNER._replace(token=UNKNOWN_TOKEN), Paths()), ""),
        (section_text(RUNNER._replace(token="glrt-x"), Paths()), ""),
        (section_text(RUNNER, Paths("/elsewhere")), ""),
        (section_text(RUNNER._replace(url="https://other.example.com"), Paths()), ""),
        (section_text(OTHER, Paths()), ""),
        ("", ""),
        ("[[runners", ""),
        ("runners = 3\n", ""),
    ],
)
def test_what_a_killed_call_has_left(tmp_path: Path, left: str, token: str) -> None:
    """Only the token of the same runner, which GitLab has created, is of use."""
    assert document(tmp_path, "").left_token(left, NEW) == token


def test_a_token_that_is_in_use_is_not_used_again(tmp_path: Path) -> None:
    """Somebody has registered it by hand meanwhile."""
    text = section_text(RUNNER._replace(name="by hand"), Paths())

    assert document(tmp_path, text).left_token(section_text(RUNNER, Paths()), NEW) == ""
