"""python-gitlab's own files; python-gitlab reads the same from them."""

import os
from pathlib import Path

import pytest

from executor.commands.gitlab import configuration
from executor.commands.gitlab.configuration import find
from executor.commands.gitlab.tokens import UnusableToken

TEXT = """
[global]
default = usual
ssl_verify = true

[usual]
url = https://gitlab.example.com/
private_token = glpat-of-the-usual-one

[strong]
url = https://gitlab.example.com
private_token = helper: echo glpat-of-the-helper

[other]
url = https://other.example.com
private_token = glpat-of-the-other-one

[poor]
url = https://poor.example.com
job_token = no-token-of-a-user

[broken]
url = https://broken.example.com
private_token = helper: false
"""


@pytest.fixture(name="home")
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(configuration, "_SYSTEM", str(tmp_path / "etc.cfg"))
    written(tmp_path / ".python-gitlab.cfg", TEXT)
    return tmp_path


def written(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def found(home: Path, name: str = "", url: str = "") -> tuple[str, str, str] | None:
    """Return the section's name, its address, and its token."""
    section = find(name, url, {"HOME": str(home)})
    return section and (section.name, section.url, section.token())


def test_the_default_one(home: Path) -> None:
    """With its address, written as others are."""
    assert found(home) == ("usual", "https://gitlab.example.com", "glpat-of-the-usual-one")


def test_one_that_is_named(home: Path) -> None:
    """A helper prints its token."""
    assert found(home, "strong") == ("strong", "https://gitlab.example.com", "glpat-of-the-helper")


def test_one_of_an_address(home: Path) -> None:
    """And none of another: a token goes where it belongs."""
    assert found(home, url="https://other.example.com") == (
        *("other", "https://other.example.com", "glpat-of-the-other-one"),
    )
    usual = found(home, url="https://gitlab.example.com")
    assert usual is not None
    assert usual[0] == "usual"
    assert found(home, url="https://unknown.example.com") is None
    with pytest.raises(UnusableToken, match="no section"):
        find("usual", "https://other.example.com", {"HOME": str(home)})


def test_a_file_of_the_system(home: Path) -> None:
    """The user's own one counts more, and a file that is named is the only one."""
    text = TEXT.replace("-of-the-usual-", "-of-the-systems-usual-").replace("[other]", "[theirs]")
    written(home / "etc.cfg", text, 0o640)

    assert found(home) == ("usual", "https://gitlab.example.com", "glpat-of-the-usual-one")
    assert found(home, "theirs") is not None
    environ = {"HOME": str(home), "PYTHON_GITLAB_CFG": str(home / "etc.cfg")}
    section = find("", "", environ)
    assert section is not None
    assert section.token() == "glpat-of-the-systems-usual-one"
    with pytest.raises(UnusableToken, match="not there"):
        find("", "", {"PYTHON_GITLAB_CFG": str(home / "none")})


def test_nothing_is_there(home: Path) -> None:
    """That is no mistake, unless a section is named."""
    (home / ".python-gitlab.cfg").unlink()

    assert found(home) is None
    assert find("", "", {}) is None
    with pytest.raises(UnusableToken, match=r"no section \[prod\] in .*python-gitlab.cfg"):
        found(home, "prod")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_file_of_another_user(home: Path) -> None:
    """It names programs, which root would run."""
    os.chown(home / ".python-gitlab.cfg", 1234, 4321)

    with pytest.raises(UnusableToken, match="another user's"):
        found(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory away")
def test_a_home_of_another_user(home: Path) -> None:
    """Its owner may put another file there after the look, as sudo often leaves HOME as it is."""
    written(home / "real.cfg", TEXT)
    inner = home / "home"
    inner.mkdir()
    (inner / ".python-gitlab.cfg").symlink_to(home / "real.cfg")
    assert found(inner) is not None
    os.chown(inner, 1234, 4321)

    with pytest.raises(UnusableToken, match="in the place of"):
        found(inner)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a link away")
def test_a_link_in_a_directory_for_all(home: Path) -> None:
    """As /tmp is: nobody changes another's file there, but each has links of their own."""
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "cfg").symlink_to(home / ".python-gitlab.cfg")
    environ = {"PYTHON_GITLAB_CFG": str(shared / "cfg")}
    assert find("", "", environ) is not None
    os.lchown(shared / "cfg", 1234, 4321)

    with pytest.raises(UnusableToken, match="in the place of"):
        find("", "", environ)
    os.lchown(shared / "cfg", 0, 0)
    shared.chmod(0o777)
    with pytest.raises(UnusableToken, match="in the place of"):
        find("", "", environ)


@pytest.mark.parametrize(
    ("name", "words"), [("poor", "no private_token"), ("broken", "helper that it names")]
)
def test_a_section_without_a_token(home: Path, name: str, words: str) -> None:
    """What a helper prints of its own is not told."""
    with pytest.raises(UnusableToken, match=words):
        found(home, name)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (TEXT, 0o644, "other users may read or change"),
        (TEXT, 0o660, "other users may read or change"),
        ("[global", 0o600, "cannot be read as python-gitlab's"),
        ("[a]\nurl = %(b)s", 0o600, "cannot be read as python-gitlab's"),
        ("[global]\ndefault=a\n[a]\nurl=https://g\nprivate_token=a b", 0o600, "one token in it"),
    ],
)
def test_a_file_that_is_of_no_use(home: Path, text: str, mode: int, words: str) -> None:
    """The sentence shows nothing of it."""
    written(home / ".python-gitlab.cfg", text, mode)

    with pytest.raises(UnusableToken, match=words) as raised:
        found(home)
    assert "glpat" not in str(raised.value)
