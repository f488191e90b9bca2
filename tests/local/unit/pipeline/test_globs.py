"""Patterns of files."""

import pytest

from executor.local.pipeline.globs import any_matches


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("Dockerfile", "Dockerfile", "a/Dockerfile"),
        ("*.md", "README.md", "docs/a.md"),
        ("docs/**/*.md", "docs/a/b/c.md", "docs.md"),
        ("docs/**/*", "docs/a", "docs"),
        ("**/*.py", "a.py", "a.pyc"),
        ("a?.[ch]", "ab.c", "ab.o"),
        ("a.[!c]", "a.h", "a.c"),
        ("*.{js,t*}", "a.tsx", "a.py"),
        ("a+b", "a+b", "aab"),
    ],
)
def test_a_pattern_fits_as_in_gitlab(pattern: str, fits: str, misses: str) -> None:
    """A star stops at a slash, two do not."""
    assert any_matches([pattern], ["other", fits])
    assert not any_matches([pattern], ["other", misses])
