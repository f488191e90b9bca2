"""docs/benchmarks.md and its plots."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import page, plots, results
from benchmarks.figures import Spread
from benchmarks.plots import Plot
from tests.benchmarks import small

DATA = Path(__file__).parents[1] / "data" / "benchmarks"
DOCS = page.REPOSITORY / "docs"


def test_the_page_is_what_was_measured() -> None:
    """The page and its plots are those of the results in the repository, and no others are there."""
    written = page.files(results.read(page.RESULTS))

    for name, text in written.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, name
    kept = {path.relative_to(DOCS).as_posix() for path in (DOCS / "images").iterdir()}
    assert kept == {name for name in written if name.startswith("images/")}


@pytest.mark.parametrize("name", ["images/jobs-26.1.svg", "images/at-once-26.1.svg"])
def test_a_plot_is_as_it_was_looked_at(name: str) -> None:
    """Of the same figures comes the same picture: a change of it is to be looked at in a browser."""
    svg = page.files(small.results())[name]

    ET.fromstring(svg)
    assert svg == (DATA / Path(name).name).read_text(encoding="utf-8")


def test_the_tables_have_the_figures_with_their_ranges() -> None:
    """A figure that differs between the runs has its range; parts that are missing are named."""
    text = page.files(small.results())["benchmarks.md"]

    assert (
        "| `echo`, default mode | 2.50 s (2.00 to 3.00) | 1.00 s | 1.00 s"
        " | 0.417 (0.333 to 0.500) | 1.000 |" in text
    )
    assert "| 8 | 48.0 s (32.0 to 64.0) | 24.0 s (16.0 to 32.0) | 0.50 |" in text
    assert '| `echo`, `mode = "service"` | 0.25 s | 0.25 s | 0.25 s | 0.25 s | 0.25 s |' in text
    assert (
        "| an earlier job has built the same | dind-executor | 0.38 s (0.25 to 0.50) | 2.25 s | 0.025 |"
        in text
    )
    assert text.count("This part was not measured.") == 2
    assert "@" not in text


def test_a_plot_without_a_figure_leaves_it_out() -> None:
    """Where there is no Docker executor to compare with, its bar and its line are missing."""
    spread = Spread(1.0, 0.5, 2.0)
    plot = Plot("<title>", "s", ("one", "other"), {"1": [None, spread], "2": [None, None]})

    for svg in (plots.bars(plot), plots.lines(plot, "jobs")):
        ET.fromstring(svg)
        assert svg.count(" s</text>") == 1


@pytest.mark.parametrize(
    ("highest", "step", "top"),
    [(0, 1, 1), (0.35, 0.05, 0.35), (7, 1, 7), (7.1, 2, 8), (112, 20, 120), (1, 0.2, 1)],
)
def test_an_axis_has_round_numbers(highest: float, step: float, top: float) -> None:
    """The axis ends at or above the greatest figure, after at most seven steps."""
    assert plots.scale(highest) == pytest.approx((step, top))
