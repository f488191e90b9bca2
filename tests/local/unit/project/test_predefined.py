"""The predefined variables."""

import pytest

from executor.local.project.predefined import slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Feature/X_1", "feature-x-1"), ("-a-", "a"), ("a" * 70, "a" * 63)],
)
def test_a_slug_fits_in_a_host_name(text: str, expected: str) -> None:
    """A slug has the length and the letters of CI_COMMIT_REF_SLUG."""
    assert expected == slug(text)
