"""What the command is given."""

from pathlib import Path

import pytest

from executor.commands.fleet.arguments import WrongUse
from executor.commands.fleet.options import read_options, users_token

URL = ("--url", "https://gitlab.example.com/")


def test_all_runners_that_the_user_manages() -> None:
    """Without a place, and with JSON where no terminal is."""
    options = read_options(["audit", *URL], {})

    assert (options.action, options.url) == ("audit", "https://gitlab.example.com")
    assert (options.place.path, options.place.query) == ("/runners", {})
    assert (options.clients, options.json) == (8, True)


def test_a_job_of_gitlab_knows_the_address() -> None:
    """So a scheduled pipeline audits without naming it; an option counts more."""
    environ = {"CI_SERVER_URL": "https://other.example.com"}

    assert read_options(["audit"], environ).url == "https://other.example.com"
    assert read_options(["audit", *URL], environ).url == "https://gitlab.example.com"


def test_runners_of_a_group() -> None:
    """A path is one part of an address, and runners of other places are not meant."""
    place = read_options(["audit", *URL, "--group", "a/b", "--tag", "x,y", "--tag", "z"], {}).place

    assert place.path == "/groups/a%2Fb/runners"
    assert place.query == {"type": "group_type", "tag_list": "x,y,z"}
    assert "Owner in the group a/b" in place.need.text


def test_all_runners_of_an_instance() -> None:
    """Only administrators see them, by a path of its own."""
    assert read_options(["audit", *URL, "--instance"], {}).place.path == "/runners/all"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["audit", *URL, "--token=glpat-abcdefghij0123456789"], "seen by every user"),
        (["audit", "--url", "https://me:secret@gitlab.example.com"], "--url is the address"),
        (["audit"], "--url is the address"),
        (["audit", *URL, "--jobs", "9"], "from 1 to 8"),
        (["audit", *URL, "--jobs", "0"], "from 1 to 8"),
        (["audit", *URL, "--group", " "], "--group is the number"),
        (["audit", *URL, "--group", "1", "--instance"], "not allowed"),
        (["drain", "--timeout", "5"], "use both"),
        (["drain", "--runner", "0", *URL], "number of a runner"),
        (["drain", "--runner", "7"], "--url is the address"),
        (["stale", *URL, "--older-than", "6d"], "from 7d"),
        (["stale", *URL, "--max-share", "101%"], "percentage"),
        (["reconcile", *URL, "--silent", "4"], "from 5"),
        (["reconcile", *URL, "--max-share", "half"], "percentage"),
        (["polish"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_use(args: list[str], words: str) -> None:
    """The sentence says what is right, and shows no secret."""
    with pytest.raises(WrongUse, match=words) as raised:
        read_options(args, {})

    assert "secret" not in str(raised.value)
    assert "abcdefghij" not in str(raised.value)


def test_where_the_token_is(tmp_path: Path) -> None:
    """In a file, else in the environment, which it leaves."""
    file = tmp_path / "token"
    file.write_text("glpat-of-the-file\n")
    file.chmod(0o600)
    environ = {"GITLAB_TOKEN": "glpat-of-the-environment"}
    assert (
        users_token(read_options(["audit", *URL, "--token-file", str(file)], {}), dict(environ))
        == "glpat-of-the-file"
    )
    options = read_options(["audit", *URL], {})

    assert users_token(options, environ) == "glpat-of-the-environment"
    assert environ == {}
    with pytest.raises(WrongUse, match="`read_api`"):
        users_token(options, environ)


def test_this_host_needs_no_gitlab() -> None:
    """A runner does, with a second scope."""
    here = read_options(["drain"], {})
    runner = read_options(["drain", "--runner", "7", "--yes", *URL], {})

    assert (here.needs_gitlab, here.yes, here.seconds) == (False, False, None)
    assert (runner.needs_gitlab, runner.yes, runner.runner) == (True, True, 7)
    with pytest.raises(WrongUse, match="`read_api` and `manage_runner`"):
        users_token(runner, {})


def test_what_is_stale() -> None:
    """A month, fifty at most, and a fifth of all, unless said otherwise."""
    usual = read_options(["stale", *URL], {})
    other = read_options(
        ["stale", *URL, "--older-than", "90d", "--limit", "5", "--max-share", "5%"], {}
    )

    assert (usual.older_than, usual.limit, usual.share) == (30 * 86400, 50, 0.2)
    assert (other.older_than, other.limit, other.share) == (90 * 86400, 5, 0.05)
    assert usual.needs_gitlab


def test_what_python_gitlab_knows(tmp_path: Path) -> None:
    """The address and the token of one section, where neither is given otherwise."""
    file = tmp_path / "cfg"
    file.write_text(
        "[global]\ndefault = a\n"
        "[a]\nurl = https://a.example.com\nprivate_token = glpat-a\n"
        "[b]\nurl = https://b.example.com/\nprivate_token = glpat-b\n"
    )
    file.chmod(0o600)
    environ = {"PYTHON_GITLAB_CFG": str(file)}

    def known(*args: str, **more: str) -> tuple[str, str]:
        given = {**environ, **more}
        options = read_options(["audit", *args], given)
        return options.url, users_token(options, given)

    assert known() == ("https://a.example.com", "glpat-a")
    assert known("--gitlab", "b") == ("https://b.example.com", "glpat-b")
    assert known("--gitlab", "b", CI_SERVER_URL="https://a.example.com")[1] == "glpat-b"
    assert known("--url", "https://b.example.com")[1] == "glpat-b"
    assert known(CI_SERVER_URL="https://b.example.com")[1] == "glpat-b"
    assert known(GITLAB_TOKEN="glpat-c") == ("https://a.example.com", "glpat-c")
    with pytest.raises(WrongUse, match="access token"):
        known("--url", "https://c.example.com")


def test_a_rotation_has_its_address_from_config_toml(tmp_path: Path) -> None:
    """But a token of python-gitlab's file goes to the GitLab of that file alone."""
    path = tmp_path / "python-gitlab.cfg"
    path.write_text(
        "[global]\ndefault = one\n[one]\nurl = https://one.example.com\nprivate_token = x-1\n"
    )
    path.chmod(0o600)
    environ = {"PYTHON_GITLAB_CFG": str(path)}

    assert read_options(["rotate"], environ).url == "https://one.example.com"
    assert read_options(["rotate"], {**environ, "GITLAB_TOKEN": "x-2"}).url == ""
    blank = {**environ, "GITLAB_TOKEN": " \n"}
    options = read_options(["rotate"], blank)
    assert (options.url, users_token(options, blank)) == ("https://one.example.com", "x-1")
    assert read_options(["rotate", "--token-file", "f"], environ).url == ""
    assert read_options(["rotate", "--new-token-file", "f"], environ).url == ""
    options = read_options(["rotate", *URL, "--name", "a", "--shared"], environ)
    assert options.url == "https://gitlab.example.com"
    assert options.rotating == ("/etc/gitlab-runner/config.toml", "a", True, "")
    assert options.scope == "`manage_runner`"
