"""What `register` is given, and what it is not."""

from pathlib import Path

import pytest

from executor.commands.register.creation import Wanted
from executor.commands.register.options import (
    WrongUse,
    read_options,
    runners_token,
    users_token,
)

URL = ["--url", "https://gitlab.example.com/"]
TOKEN = "glrt-0123456789abcdefghij"


def test_the_usual_places() -> None:
    """Without more, the runner is called as the host, and everything is where `install` puts it."""
    options = read_options(URL)

    assert options.url == "https://gitlab.example.com"
    assert options.name
    assert options.config == Path("/etc/gitlab-runner/config.toml")
    assert options.paths.hooks == "/opt/dind-executor/hooks"
    assert options.paths.settings == "/etc/dind-executor/settings.toml"
    assert options.wanted is None
    assert options.tries_job


def test_what_is_created() -> None:
    """A place, tags, and which jobs."""
    given = ["--create", "--group", "a/b", "--tag", "x, y", "--tag=z", "--untagged", "--protected"]

    wanted = read_options([*URL, "--name", "n", *given]).wanted

    assert wanted == Wanted(
        "n", "group_type", "a/b", ("x", "y", "z"), untagged=True, protected=True
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "--url is the address"),
        (["--url", "gitlab.example.com"], "--url is the address"),
        (["--url", "https://user:secret@gitlab.example.com"], "--url is the address"),
        (["--url", "https://gitlab.example.com/$X"], "--url is the address"),
        (["--url", "https://[gitlab"], "--url is the address"),
        (["--url", "https://gitlab.example.com:99999"], "--url is the address"),
        ([*URL, "--name", "two\nlines"], "--name is one line"),
        ([*URL, "--name", "x" * 256], "--name is one line"),
        ([*URL, "--concurrent", "0"], "a number from 1"),
        ([*URL, "--concurrent", "9" * 99], "a number from 1"),
        ([*URL, "--create"], "needs one of --group"),
        ([*URL, "--create", "--group", "1", "--instance"], "needs one of --group"),
        ([*URL, "--create", "--instance", "--token-file", "x"], "use one of the two"),
        ([*URL, "--tag", "x"], "belong to --create"),
        ([*URL, "--gitlab-token-file", "x"], "belong to --create"),
        ([*URL, "--token", TOKEN], "seen by every user"),
        ([*URL, "--registration-token=x"], "seen by every user"),
        ([*URL, "--tok", TOKEN], "See `dind-executor register --help`"),
        ([*URL, "more"], "unrecognized arguments: more"),
    ],
)
def test_what_is_refused(args: list[str], words: str) -> None:
    """The sentence says what to give instead, and repeats no token."""
    with pytest.raises(WrongUse) as raised:
        read_options(args)

    assert words in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_template_needs_no_address() -> None:
    """Whoever uses it gives the address to gitlab-runner."""
    assert read_options(["--print-template"]).prints_template


def test_tokens_that_are_missing_or_of_another_kind() -> None:
    """Each sentence says where the token comes from."""
    options = read_options(URL)
    with pytest.raises(WrongUse, match="--token-file FILE or in CI_SERVER_TOKEN"):
        runners_token(options, {})
    with pytest.raises(WrongUse, match="registration token"):
        runners_token(options, {"CI_SERVER_TOKEN": "GR1348941abcdefghijklmnop"})
    assert runners_token(options, {"CI_SERVER_TOKEN": TOKEN}) == TOKEN

    with pytest.raises(WrongUse, match="the scope `create_runner`"):
        users_token(options, {})
    assert users_token(options, {"GITLAB_TOKEN": "glpat-x"}) == "glpat-x"
