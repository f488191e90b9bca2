"""People read plain words: none of those in words.toml, wherever a person reads."""

from pathlib import Path

import pytest

from tests import words

PACKAGE = words.ROOT / "executor"


def test_no_message_has_a_forbidden_word() -> None:
    """No string of the package that may reach a person has one of the words."""
    assert words.faults(words.readable(PACKAGE)) == []


def test_no_page_has_a_forbidden_word() -> None:
    """No page, sample, hook, command of `.ci` or shell program has one of the words."""
    assert words.faults(words.pages(words.ROOT)) == []


def test_no_help_has_a_forbidden_word() -> None:
    """Neither the help of a command nor the settings with their documentation have one."""
    assert words.faults(words.helps()) == []


def test_every_page_is_read() -> None:
    """The check finds README, docs, decisions, samples, hooks and shell programs."""
    found = words.pages(words.ROOT)

    assert {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "config.toml.example",
        "docs/settings.md",
        "docs/decisions/0002-keeper.md",
        "hooks/run",
        ".ci/test",
        "executor/shell/keeper.sh",
    } <= set(found)


def test_every_help_is_read() -> None:
    """The check sees the usage of each command, and a settings key with its documentation."""
    found = words.helps()

    assert len(found) == 12
    assert "dind-executor migrate" in found["dind-executor --help"]
    assert "--prefix" in found["dind-executor install --help"]
    assert "--token-file" in found["dind-executor register --help"]
    assert "--output" in found["dind-executor migrate --help"]
    assert "--branch" in found["dind-executor local --help"]
    assert "--facts" in found["dind-executor plan --help"]
    assert "--auth-file" in found["dind-executor replay --help"]
    assert "--expired" in found["dind-executor reap --help"]
    assert "--as-job" in found["dind-executor doctor --help"]
    assert "allowed_images" in found["dind-executor settings"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ask the operator of the runner.", ["operator"]),
        ("The driver makes\n certificates.", ["driver"]),
        ("Whom it serves, we mend.", ["we", "Whom", "mend"]),
        ("any image, be it\nlocal", ["be it"]),
        ('The platform "x" is none.', ["is none"]),
        ("The authors decide.", ["authors"]),
        ("the engine's host, and what of it", ["what of it"]),
        ("Caches begin empty.", ["begin empty"]),
        ("It is cloned anew, lest it grow.", ["anew", "lest"]),
    ],
)
def test_a_planted_word_is_found(text: str, found: list[str]) -> None:
    """A forbidden word counts in any case, and across a line's end."""
    assert sorted(words.forbidden_in(text)) == sorted(found)


@pytest.mark.parametrize(
    "text",
    [
        "`volume_driver` names Docker's volume driver.",
        "Using Custom executor with driver dind-executor 1.0...",
        "The job author writes a job. Job authors write jobs.",
        "dind uses it if there is none. Commend the amended screwdriver.",
        "$us, --our and we-know are code.",
    ],
)
def test_a_right_use_is_none(text: str) -> None:
    """Docker's drivers, names of variables and parts of other words are not forbidden."""
    assert words.forbidden_in(text) == []


def test_a_word_planted_in_code_is_found(tmp_path: Path) -> None:
    """A message counts, also in parts around a value; a docstring and a comment do not."""
    module = tmp_path / "package" / "module.py"
    module.parent.mkdir()
    module.write_text(
        '"""Our driver."""\n'
        "# whom\n"
        "LIMIT = 1\n"
        '"""Whom it serves."""\n'
        "def f(name: str) -> str:\n"
        '    """We mend it."""\n'
        '    print("the" " operator")\n'
        '    return f"{name} is mended"\n'
    )

    assert words.faults(words.readable(tmp_path / "package")) == [
        "package/module.py:7: operator",
        "package/module.py:8: mended",
    ]


def test_a_word_planted_in_a_page_is_found(tmp_path: Path) -> None:
    """A word in a page of docs/, or in what a shell program prints, is named with its file."""
    for name in ("docs/decisions/1.md", "executor/shell/a.sh"):
        page = tmp_path / name
        page.parent.mkdir(parents=True)
        page.write_text('# anew\nours() { echo "It is mended." }\n')

    assert sorted(words.faults(words.pages(tmp_path))) == [
        "docs/decisions/1.md: anew",
        "docs/decisions/1.md: mended",
        "docs/decisions/1.md: ours",
        "executor/shell/a.sh: mended",
    ]
