"""A job's bars for a browser: text that does not overlap, and no character that breaks it."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from executor.record.svg import as_svg
from executor.record.timeline import CALL, Bar, Row, Timeline, timeline
from tests.record.samples import a_job

SPACE = "{http://www.w3.org/2000/svg}"
CHARACTER = 7.4
"""How wide one is, in any monospaced font of 12 pixels."""


def test_every_bar_is_drawn_within_its_column() -> None:
    """Short ones too, and each tells on a hover what it is."""
    job = timeline(a_job())

    root = ET.fromstring(as_svg([job]))

    bars = root.findall(f"{SPACE}rect")
    assert len(bars) == sum(len(row.bars) for row in job.rows)
    for bar in bars:
        begin, width = float(bar.attrib["x"]), float(bar.attrib["width"])
        assert 316 <= begin
        assert width >= 1.5
        assert begin + width <= 316 + 760 + 1.5
        title = bar.find(f"{SPACE}title")
        assert title is not None
        assert title.text


def test_no_text_overlaps_another() -> None:
    """Labels, lengths and the axis have columns and lines of their own, as wide as they get."""
    long = Row("pull " + "x" * 90, (Bar(5.99, 6.0, CALL),), "121.4 MiB", is_inner=True)
    job = timeline(a_job())
    root = ET.fromstring(as_svg([job._replace(rows=(*job.rows, long)), job]))

    lines: dict[float, list[tuple[float, float]]] = {}
    for text in root.findall(f"{SPACE}text"):
        length = CHARACTER * len(text.text or "")
        x = float(text.attrib["x"])
        left = x - {"middle": length / 2, "end": length}.get(text.get("text-anchor", ""), 0)
        lines.setdefault(float(text.attrib["y"]), []).append((left, left + length))
    heights = sorted(lines)
    assert all(two - one >= 14 for one, two in itertools.pairwise(heights))
    for spans in lines.values():
        spans.sort()
        assert spans[0][0] >= 0
        assert all(one[1] < two[0] for one, two in itertools.pairwise(spans))
    width, height = (float(root.attrib[each]) for each in ("width", "height"))
    assert max(span[1] for spans in lines.values() for span in spans) <= width
    assert max(lines) < height


@pytest.mark.parametrize("text", ["<script>x</script>", 'a"b&c', "a\x00\x1b\ud800b", "ünï"])
def test_any_text_is_text(text: str) -> None:
    """The last part of an image's name may be what its author likes."""
    svg = as_svg([Timeline(text, 1.0, (Row(text, (Bar(0.0, 1.0, CALL),)),))])

    root = ET.fromstring(svg.encode())

    shown = "".join(each for each in text if each.isprintable())
    assert next(each.text for each in root.findall(f"{SPACE}text")) == shown
    assert root.find(f"{SPACE}script") is None


def test_it_is_readable_in_the_dark() -> None:
    """A browser says which it is; nothing comes from elsewhere."""
    svg = as_svg([timeline(a_job())])

    assert "prefers-color-scheme: dark" in svg
    assert svg.count("http") == 1
