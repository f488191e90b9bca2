"""Taking secrets out of texts."""

import pytest

from executor.redaction import MASK, redact
from tests.limited import limited


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("nothing to hide", ["hunter2"], "nothing to hide"),
        ("pass hunter2 and hunter2.", ["hunter2"], f"pass {MASK} and {MASK}."),
        ("hunter2", ["hunter2"], MASK),
        ("longer-hunter2", ["longer-hunter2", "hunter2"], MASK),
        ("a b", [], "a b"),
        ("", ["hunter2"], ""),
        ("MASKED", ["MASKED", "MASK", "AS", "K"], MASK),
        ("a MASK of hunter2", ["hunter2", "MASK"], f"a {MASK} of {MASK}"),
    ],
)
def test_secrets_are_replaced(text: str, secrets: list[str], expected: str) -> None:
    """Every occurrence of every secret is masked."""
    assert redact(text, secrets) == expected


@pytest.mark.parametrize(
    "prefix",
    ["glcbt-", "glpat-", "glrt-", "glrtr-", "gldt-", "glptt-", "glsoat-", "glft-", "glimt-"],
)
def test_tokens_of_gitlab_go_without_being_known(prefix: str) -> None:
    """A token is known by its prefix, and ends where its alphabet does."""
    assert redact(f"x {prefix}64_a-B.c, {prefix}z", ()) == f"x {MASK}, {MASK}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pass@host/path", f"https://{MASK}@host/path"),
        ("https://token@host", f"https://{MASK}@host"),
        ("tcp://host:2376/a@b", "tcp://host:2376/a@b"),
        ("(https://u:p@h) and ssh://v@g", f"(https://{MASK}@h) and ssh://{MASK}@g"),
        ('"https://u:p@h"', f'"https://{MASK}@h"'),
        ("https://u:p@q@host/", f"https://{MASK}@host/"),
        ("://", "://"),
        ("see https://host and mail me@host", "see https://host and mail me@host"),
        ("https://a\nb@c", "https://a\nb@c"),
    ],
)
def test_the_user_part_of_urls_goes(text: str, expected: str) -> None:
    """What stands before the @ of a URL's host is a login; other @ stay."""
    assert redact(text, ()) == expected


def test_redacting_twice_changes_nothing() -> None:
    """The mask is no secret, no token and no login."""
    once = redact("https://u:p@host glpat-abc hunter2", ["hunter2"])

    assert redact(once, ["hunter2"]) == once


@pytest.mark.parametrize(
    "text", ["://x@", "glpat-a ", "glpat-a", "a:b@", "://", "@/", "glpat-://a@"]
)
def test_a_long_text_takes_time_in_proportion(text: str) -> None:
    """A hundred times the text takes a hundred times the time, and not ten thousand times."""
    shown = limited(
        """
import sys
from executor.redaction import redact
print(len(redact(sys.stdin.read() * 400_000, ["hunter2", "a", "@"])) > 0)
""",
        text,
    )

    assert shown == "True\n"


def test_secrets_that_are_parts_of_the_mask() -> None:
    """The mask of one secret is not masked for another: it would double with each of them."""
    shown = limited("""
from executor.redaction import MASK, redact
secrets = sorted({MASK[a:b] for a in range(8) for b in range(a + 1, 9)}, key=len, reverse=True)
print(redact("MASKED" * 1000, secrets) == MASK * 1000)
""")

    assert shown == "True\n"
