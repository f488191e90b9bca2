"""Glob patterns over image names."""

import pytest

from executor.notation.patterns import is_pattern, match
from tests.limited import limited

GROUP = "registry.example.com/group/project/ruby:3.3"

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(
    ("pattern", "image", "expected"),
    [
        # a lone star stays within a component
        ("*", "ruby", True),
        ("*", "ruby:3.3", True),
        ("*", "library/ruby", False),
        ("*/*", "library/ruby:3.3", True),
        ("*/*:*", "library/ruby:3.3", True),
        ("*/*:*", "library/ruby", False),
        ("ruby:*", "ruby:3.3", True),
        ("ruby:*", "ruby", False),
        ("ruby:*", f"ruby@{DIGEST}", False),
        ("ruby*", f"ruby@{DIGEST}", True),
        ("*by", "ruby", True),
        ("r*y*3", "ruby:3.3", True),
        ("", "ruby", False),
        ("rub", "ruby", False),
        # two stars cross components where they are one
        ("**", GROUP, True),
        ("**/*", "ruby", True),
        ("**/*", "library/ruby", True),
        ("**/*:*", "library/ruby", False),
        ("**/ruby:*", "ruby:3.3", True),
        ("**/ruby:*", GROUP, True),
        ("registry.example.com/*/*:*", GROUP, False),
        ("registry.example.com/**/*:*", GROUP, True),
        ("registry.example.com/**", GROUP, True),
        ("registry.example.com/**", "registry.example.com", True),
        ("registry.example.com/**", "registry.example.com.evil.net/a", False),
        ("registry.example.com/**/project/**", GROUP, True),
        ("registry.example.com/**/group/project/ruby:3.3", GROUP, True),
        ("**/**/ruby:3.3", "ruby:3.3", True),
        ("registry.example.com/*/*/*:*", GROUP, True),
        ("registry**", GROUP, False),
        ("registry**", "registry", True),
        ("**ruby", "a/ruby", False),
        ("a/b**/c", "a/bx/y/c", False),
        # one character, and sets of them
        ("rub?", "ruby", True),
        ("rub?", "rub", False),
        ("a?b", "a/b", False),
        ("ruby:[0-3].3", "ruby:3.3", True),
        ("ruby:[0-2].3", "ruby:3.3", False),
        ("ruby:[^0-2].3", "ruby:3.3", True),
        ("ruby:[!3].3", "ruby:3.3", False),
        ("a[^x]b", "a/b", False),
        ("ruby:[.\\-3]*", "ruby:3.3", True),
        ("ruby:[3-]", "ruby:-", True),
        # alternatives
        ("{ruby,node}:*", "node:20", True),
        ("{ruby,node}:*", "go:1", False),
        ("{library/,}ruby", "ruby", True),
        ("{a/**,b}/c", "a/x/y/c", True),
        ("{a,b{c,d}}", "bd", True),
        # escapes make a special character an ordinary one
        ("ruby\\*", "ruby*", True),
        ("ruby\\*", "ruby3", False),
        ("{a\\,b,c}", "a,b", True),
        ("a}b,c", "a}b,c", True),
        # a malformed pattern matches nothing, itself not even
        ("ruby[", "ruby[", False),
        ("ruby[]", "ruby[]", False),
        ("ruby\\", "ruby\\", False),
        ("{ruby", "ruby", False),
        ("{ruby,[}", "ruby", False),
        ("ruby[^", "ruby", False),
    ],
)
def test_match(pattern: str, image: str, expected: bool) -> None:  # noqa: FBT001
    """A pattern matches a whole name in the doublestar dialect."""
    assert match(pattern, image) is expected


def test_match_does_not_backtrack() -> None:
    """A name that an author made to be slow is not: twenty stars cost twenty passes, not 2**20."""
    assert not match("*a" * 20 + "b", "a" * 255)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("**/docker:*dind*", True), ("{a,b}[c-d]", True), ("a[", False), ("{a", False), ("\\", False)],
)
def test_is_pattern_tells_malformed_patterns(pattern: str, expected: bool) -> None:  # noqa: FBT001
    """What can never match can be refused when the settings are read."""
    assert is_pattern(pattern) is expected


@pytest.mark.parametrize(
    "pattern", ["{a,b}" * 30, "{" * 3000 + "a" + "}" * 3000, "a*" * 10_000, "{" * 100_000]
)
def test_a_pattern_that_stands_for_more_than_anybody_means(pattern: str) -> None:
    """It is none, which shows when the settings are read, and takes no time."""
    assert (
        limited(
            "import sys\nfrom executor.notation.patterns import is_pattern, match\n"
            "text = sys.stdin.read()\nprint(is_pattern(text), match(text, 'a' * 500))\n",
            pattern,
        )
        == "False False\n"
    )


@pytest.mark.parametrize("part", ["a*", "**/", "?*", "[a-z]*"])
def test_a_pattern_takes_time_in_proportion(part: str) -> None:
    """Whoever chooses the image's name cannot make an administrator's pattern slow."""
    assert limited(
        "import sys\nfrom executor.notation.patterns import match\n"
        "print(match(sys.stdin.read(), 'a/' * 260 + '!'))\n",
        part * (3000 // len(part)),
    ) in ("False\n", "True\n")


def test_a_long_list_of_names_is_a_pattern() -> None:
    """An administrator may have many teams."""
    names = ",".join(f"team-{number}" for number in range(900))

    assert match(f"registry/{{{names}}}/*", "registry/team-899/a")
