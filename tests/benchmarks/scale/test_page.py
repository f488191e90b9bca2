"""docs/scale.md."""

import pytest

from benchmarks.scale import __main__ as scale
from benchmarks.scale import measured
from benchmarks.scale.lines import number


def test_the_page_is_what_the_models_make() -> None:
    """The page has the tables that `python -m benchmarks.scale` makes of what was counted."""
    written = scale.page()

    assert scale.PAGE.read_text(encoding="utf-8") == written
    assert "@" not in written.replace("curl -sfX PUT", "")


def test_tables_are_printed_for_other_fleets(capsys: pytest.CaptureFixture[str]) -> None:
    """A fleet of one's own has its own line in each table by size, and nothing is written."""
    before = scale.PAGE.stat().st_mtime_ns

    scale.main(["--hosts", "35", "--concurrent", "6", "--load", "0.5", "--job-seconds", "400"])

    said = capsys.readouterr().out
    assert "| 35 | 945 | 1, 3 s |" in said
    assert "| 10,000 |" not in said
    assert scale.PAGE.stat().st_mtime_ns == before


def test_a_longer_job_sends_its_log_more_often() -> None:
    """Each minute makes one request more."""
    found = measured.read()

    assert found.api_requests(630) - found.api_requests(30) == 10


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1.75, "1.8"), (2.0, "2"), (17.4, "17"), (1964, "1,960"), (123456, "123,000")],
)
def test_figures_have_digits_that_count(value: float, words: str) -> None:
    """Nobody reads six digits of an estimate."""
    assert number(value) == words
