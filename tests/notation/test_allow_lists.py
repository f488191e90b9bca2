"""Which images a list of patterns admits."""

import pytest

from executor.notation.allow_lists import is_allowed

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(
    ("image", "patterns", "internal", "expected"),
    [
        ("ruby:3.3", [], [], True),
        ("ruby:3.3", ["ruby:*"], [], True),
        ("ruby:3.3", ["node:*", "ruby:*"], [], True),
        ("ruby:3.3", ["node:*"], [], False),
        ("ruby:3.3", ["node:*"], ["ruby:3.3"], True),
        ("ruby:3.3", ["node:*"], ["ruby"], False),
        ("docker.io/library/ruby", ["ruby"], [], False),
        ("ruby:3.3", ["["], [], False),
        # exclusions
        ("kalilinux/kali-rolling", ["**", "!*/kali*"], [], False),
        ("kalilinux/kali-rolling", ["!*/kali*", "**"], [], False),
        ("ruby", ["**", "!*/kali*"], [], True),
        ("kali", ["!kali"], ["kali"], False),
        ("ruby", ["!kali"], [], True),
        ("ruby", ["node", "!kali"], [], False),
        ("ruby", ["!["], [], True),
        # an id says nothing of what it is
        (f"sha256:{'a' * 64}", ["**"], [], True),
        (f"sha256:{'a' * 64}", ["**", "!kali"], [], False),
        ("a" * 64, ["!kali"], [], False),
        (f"sha256:{'a' * 64}", ["!kali"], [f"sha256:{'a' * 64}"], True),
    ],
)
def test_is_allowed(
    image: str,
    patterns: list[str],
    internal: list[str],
    expected: bool,  # noqa: FBT001
) -> None:
    """Exclusions beat everything; then any pattern, an internal image or an empty list admits."""
    assert is_allowed(image, patterns, internal) is expected


@pytest.mark.parametrize(
    "image",
    [
        "kali",
        "kali:latest",
        "library/kali",
        "docker.io/kali",
        "docker.io/library/kali:latest",
        "index.docker.io/library/kali",
        "registry-1.docker.io/library/kali",
        "DOCKER.IO/library/kali",
        "docker.io:443/library/kali",
        f"kali@{DIGEST}",
        f"docker.io/library/kali:latest@{DIGEST}",
    ],
)
@pytest.mark.parametrize(
    "pattern", ["kali*", "kali", "kali:latest", "library/kali", "docker.io/**/kali", "**/kali"]
)
def test_an_exclusion_is_not_dodged_by_another_spelling(image: str, pattern: str) -> None:
    """However an author writes an image of Docker Hub, what excludes one spelling excludes all."""
    assert not is_allowed(image, ["**", f"!{pattern}"])


@pytest.mark.parametrize(
    ("image", "pattern", "expected"),
    [
        ("registry.example.com:443/kali", "registry.example.com/**", False),
        ("REGISTRY.example.com/kali", "registry.example.com/**", False),
        ("registry.example.com:0443/kali", "registry.example.com/**", False),
        ("registry.example.com:5000/kali", "registry.example.com/**", True),
        ("registry.example.com/kali", "registry.example.com:443/**", False),
        ("registry.example.com/kali", "Registry.Example.com/**", False),
        ("registry.example.com/kali", "{quay.io,*.Example.com:0443}/**", False),
        ("registry.example.com:5000/kali", "registry.example.com:05000/**", False),
        ("registry.example.com:5000/kali", "registry.example.com:443/**", True),
        ("kali", "Docker.io:443/**", False),
        ("registry.example.com/kali", "{registry.example.com", True),
        ("registry.example.com:05000/kali", "registry.example.com:5000/**", False),
        ("kali:2", "kali:1", True),
        ("kali:2", "kali", True),
        (f"kali@{DIGEST}", f"*@{DIGEST}", False),
        (f"kali:2@{DIGEST}", f"kali@{DIGEST}", False),
        ("ruby", "*/*", True),
        ("docker.io/library/ruby", "*/*", True),
        ("someone/ruby", "*/*", False),
        ("docker.io/someone/ruby", "*/*", False),
        ("someone/ruby", "docker.io/library/*", True),
    ],
)
def test_an_exclusion_keeps_to_what_it_says(image: str, pattern: str, expected: bool) -> None:  # noqa: FBT001
    """Another port or tag is another image, and official images have no namespace to exclude."""
    assert is_allowed(image, [f"!{pattern}"]) is expected


def test_an_exclusion_looks_at_a_name_outside_the_grammar_as_it_is() -> None:
    """What is no image name is still excluded by a pattern that matches it."""
    assert not is_allowed("Kali", ["**", "!Kali*"])
    assert is_allowed("Kali", ["**", "!kali*"])
