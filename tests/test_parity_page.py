"""docs/parity.md: complete, and as the tests have it."""

from pathlib import Path

import pytest

from tests.gitlab import differences

PAGE = Path(__file__).parents[1] / "docs" / "parity.md"


@pytest.fixture(scope="module")
def page() -> str:
    """The page."""
    return PAGE.read_text(encoding="utf-8")


def test_the_admitted_differences_are_the_page_s(page: str) -> None:
    """Run `python -m tests.test_parity_page` for the tables to paste."""
    assert differences.table() in page
    assert differences.outcome_table() in page


if __name__ == "__main__":
    print(differences.table(), differences.outcome_table(), sep="\n")
