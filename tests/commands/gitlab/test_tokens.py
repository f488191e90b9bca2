"""Tokens: the files that they are in, and what they look like."""

import os
from pathlib import Path

import pytest

from executor.commands.gitlab.tokens import (
    UnusableToken,
    read_token,
    runners_mistake,
    take_token,
)

TOKEN = "glrt-0123456789abcdefghij"


def written(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_the_token_of_a_file(tmp_path: Path) -> None:
    """White space around it does not count, and a group may read it."""
    assert read_token(written(tmp_path / "token", f" {TOKEN}\n", 0o640)) == TOKEN


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (TOKEN, 0o644, "other users may read or change"),
        (TOKEN, 0o620, "other users may read or change"),
        ("", 0o600, "one token in it"),
        (f"{TOKEN} {TOKEN}", 0o600, "one token in it"),
        ("x" * 5000, 0o600, "one token in it"),
        ("tökén", 0o600, "one token in it"),
    ],
)
def test_a_file_that_is_of_no_use(tmp_path: Path, text: str, mode: int, words: str) -> None:
    """The sentence has the path, and nothing of what is in it."""
    path = written(tmp_path / "token", text, mode)

    with pytest.raises(UnusableToken, match=words) as raised:
        read_token(path)

    assert path in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_a_token_through_a_pipe() -> None:
    """`--token-file /dev/fd/N` works: a pipe has nobody but its two ends."""
    read_end, write_end = os.pipe()
    os.write(write_end, TOKEN.encode())
    os.close(write_end)

    assert read_token(f"/dev/fd/{read_end}") == TOKEN

    os.close(read_end)


def test_the_variable_leaves_the_environment(tmp_path: Path) -> None:
    """No program that is started gets it, whichever of the two counts."""
    environ = {"CI_SERVER_TOKEN": TOKEN, "PATH": "/bin"}
    other = written(tmp_path / "token", "glrt-another-0123456789abc")

    assert take_token("", "CI_SERVER_TOKEN", environ) == TOKEN
    assert environ == {"PATH": "/bin"}
    environ["CI_SERVER_TOKEN"] = TOKEN
    assert take_token(other, "CI_SERVER_TOKEN", environ) == "glrt-another-0123456789abc"
    assert environ == {"PATH": "/bin"}
    assert take_token("", "CI_SERVER_TOKEN", environ) == ""


@pytest.mark.parametrize("value", ["two words", "a\nb", "é" * 20, "x" * 5000])
def test_a_variable_that_is_of_no_use(value: str) -> None:
    """The sentence has the variable's name, and nothing of its value."""
    with pytest.raises(UnusableToken, match="GITLAB_TOKEN must have one token in it") as raised:
        take_token("", "GITLAB_TOKEN", {"GITLAB_TOKEN": value})

    assert value not in str(raised.value)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (TOKEN, ""),
        ("glrt-t1_0123456789abcdefghij", ""),
        ("glrt-t3_AbC-_0123456789abcde.1a2b3c", ""),
        ("acme-glrt-0123456789abcdefghij", ""),
        ("glrtr-0123456789abcdefghij", ""),
        ("GR1348941abcdefghijklmnop", "registration token"),
        ("glpat-0123456789abcdefghij", "personal access token"),
        ("glrt-short", "at least 20 characters"),
        ("0123456789abcdefghij", "begins with glrt-"),
        ('glrt-0123456789abcdefghij"\nx = 1', "begins with glrt-"),
        ("", "begins with glrt-"),
    ],
)
def test_what_a_runners_token_looks_like(token: str, words: str) -> None:
    """Each other kind of token has its own sentence; a short one would crash gitlab-runner."""
    assert words in runners_mistake(token)
    assert bool(words) is bool(runners_mistake(token))
