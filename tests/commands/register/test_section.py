"""What config.toml gets: what config.toml.example shows, and what a template may have."""

import tomllib
from pathlib import Path

from executor.commands.register.section import (
    UNKNOWN_TOKEN,
    Paths,
    Registration,
    section_text,
    template_text,
)

EXAMPLE = Path(__file__).resolve().parents[3] / "config.toml.example"
ODD = Registration('a "quoted" \\ name', "https://gitlab.example.com", "glrt-0123456789abcdefghij")


def test_a_section_is_the_examples() -> None:
    """The same keys with the same values, but for name, URL and token."""
    (example,) = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["runners"]

    (written,) = tomllib.loads(section_text(ODD, Paths()))["runners"]

    assert written == {**example, "name": ODD.name, "url": ODD.url, "token": ODD.token}


def test_paths_are_the_given_ones() -> None:
    """Each stage names its hook and the settings."""
    (written,) = tomllib.loads(section_text(ODD, Paths("/x y/hooks", '/e"tc/s.toml')))["runners"]

    for stage in ("config", "prepare", "run", "cleanup"):
        assert written["custom"][f"{stage}_exec"] == f"/x y/hooks/{stage}"
        assert written["custom"][f"{stage}_args"] == ["--settings", '/e"tc/s.toml']


def test_a_template_has_one_runner_without_name_and_token() -> None:
    """gitlab-runner takes exactly one, and gets the rest as flags and variables."""
    document = tomllib.loads(template_text(Paths(), "https://gitlab.example.com"))

    assert list(document) == ["runners"]
    (written,) = document["runners"]
    assert written["url"] == "https://gitlab.example.com"
    assert not {"name", "token"} & set(written)
    assert "url" not in tomllib.loads(template_text(Paths()))["runners"][0]


def test_a_registration_is_shown_without_its_token() -> None:
    """Whoever prints it prints no secret."""
    assert ODD.token not in repr(ODD)
    assert UNKNOWN_TOKEN.startswith("glrt-")
