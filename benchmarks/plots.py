"""Plots as SVG, readable on a light and on a dark page. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.figures import Spread

_WIDTH, _MARGIN, _LABELS, _VALUES = 760, 16, 214, 118
_BAR, _GAP, _BETWEEN = 18, 4, 16
_TITLE, _LEGEND, _AXIS = 26, 26, 24
_CHART_HEIGHT, _LEFT = 300, 48
_LETTER = 7.0
"""About how wide a letter of 12 px is."""

# Pairs of colours that differ in lightness too, for those who see few colours.
_STYLE = """\
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.minor { fill: #59636e }
.value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
.page { fill: #ffffff }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.range { stroke: #1f2328; stroke-width: 1.5 }
.s0 { fill: #8c959f; stroke: #8c959f }
.s1 { fill: #0969da; stroke: #0969da }
.s2 { fill: #d4a72c; stroke: #d4a72c }
.line { fill: none; stroke-width: 2.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .minor { fill: #9198a1 }
  .value { stroke: #0d1117 }
  .page { fill: #0d1117 }
  .grid { stroke: #3d444d }
  .range { stroke: #f0f6fc }
  .s0 { fill: #6e7681; stroke: #6e7681 }
  .s1 { fill: #58a6ff; stroke: #58a6ff }
  .s2 { fill: #e3b341; stroke: #e3b341 }
}
"""


@dataclass(frozen=True, slots=True)
class Plot:
    """What a plot shows: of each group, a figure of each series."""

    title: str
    unit: str
    series: tuple[str, ...]
    groups: Mapping[str, Sequence[Spread | None]]
    """By the group's name, in the order of the series; None where there is no figure."""

    @property
    def highest(self) -> float:
        """Return the greatest figure."""
        return max(
            (each.high for values in self.groups.values() for each in values if each), default=0
        )


def bars(plot: Plot) -> str:
    """Return horizontal bars from 0, with the range over the runs across the end of each."""
    step, top = scale(plot.highest)
    scaled = (_WIDTH - _MARGIN - _LABELS - _VALUES) / top
    parts: list[str] = []
    y = _MARGIN + _TITLE + _LEGEND
    begin = y
    for name, values in plot.groups.items():
        shown = [(number, each) for number, each in enumerate(values) if each is not None]
        height = len(shown) * (_BAR + _GAP) - _GAP
        parts.append(_text(_LABELS - 10, y + height / 2 + 4, name, anchor="end"))
        for number, each in shown:
            end = _LABELS + each.middle * scaled
            parts.append(_box(f"s{number}", _LABELS, y, each.middle * scaled, _BAR))
            low, high = _LABELS + each.low * scaled, _LABELS + each.high * scaled
            if each.low < each.high:
                parts.append(_line("range", low, y + _BAR / 2, high, y + _BAR / 2))
            parts.append(
                _text(max(end, high) + 6, y + 13, f"{each.middle:.2f} {plot.unit}", style="value")
            )
            y += _BAR + _GAP
        y += _BETWEEN - _GAP
    bottom = y - _BETWEEN / 2
    grid: list[str] = []
    for tick in _ticks(step, top):
        x = _LABELS + tick * scaled
        grid.append(_line("grid", x, begin - 6, x, bottom))
        grid.append(_text(x, bottom + 16, f"{tick:g}", style="minor", anchor="middle"))
    return _document(plot, bottom + _AXIS, [*_legend(plot), *grid, *parts])


def lines(plot: Plot, across: str) -> str:
    """Return a line for each series over groups that are numbers; `across` says what they count."""
    step, top = scale(plot.highest)
    names = [float(name) for name in plot.groups]
    begin, bottom = _MARGIN + _TITLE + _LEGEND, _MARGIN + _TITLE + _LEGEND + _CHART_HEIGHT
    wide = (_WIDTH - _LEFT - _VALUES) / max(names)
    parts: list[str] = []
    for tick in _ticks(step, top):
        y = bottom - tick / top * _CHART_HEIGHT
        parts.append(_line("grid", _LEFT, y, _WIDTH - _VALUES, y))
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", style="minor", anchor="end"))
    for name in names:
        x = _LEFT + name * wide
        parts.append(_text(x, bottom + 18, f"{name:g}", style="minor", anchor="middle"))
    parts.append(_text(_WIDTH - _VALUES + 14, bottom + 18, across, style="minor"))
    for number, _ in enumerate(plot.series):
        points = [
            (_LEFT + float(name) * wide, bottom - each.middle / top * _CHART_HEIGHT, each)
            for name, values in plot.groups.items()
            if (each := values[number]) is not None
        ]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline class="s{number} line" style="fill: none" points="{way}"/>')
        for x, y, each in points:
            if each.low < each.high:
                ends = (bottom - end / top * _CHART_HEIGHT for end in (each.low, each.high))
                parts.append(_line("range", x, next(ends), x, next(ends)))
            parts.append(f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        if points:
            x, y, each = points[-1]
            parts.append(_text(x + 10, y + 4, f"{each.middle:.1f} {plot.unit}", style="value"))
    return _document(plot, begin + _CHART_HEIGHT + _AXIS, [*_legend(plot), *parts])


def scale(highest: float) -> tuple[float, float]:
    """Return the step of an axis, and its end: round numbers, at most seven steps."""
    if highest <= 0:
        return 1.0, 1.0
    step = 1e-3
    factors = (2.0, 2.5, 2.0)
    number = 0
    while highest / step > 7:
        step *= factors[number % 3]
        number += 1
    count = -(-highest // step)
    return step, step * max(count, 1)


def _ticks(step: float, top: float) -> list[float]:
    return [number * step for number in range(round(top / step) + 1)]


def _legend(plot: Plot) -> Iterator[str]:
    x, y = float(_MARGIN), _MARGIN + _TITLE
    for number, name in enumerate(plot.series):
        yield _box(f"s{number}", x, y, 12, 12)
        yield _text(x + 18, y + 11, name)
        x += 40 + len(name) * _LETTER


def _document(plot: Plot, bottom: float, parts: Sequence[str]) -> str:
    height = round(bottom + _MARGIN)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'width="{_WIDTH}" height="{height}">\n<title>{escape(plot.title)}</title>\n'
        f"<style>\n{_STYLE}</style>\n"
    )
    page = f'<rect class="page" width="{_WIDTH}" height="{height}" rx="6"/>'
    title = _text(_MARGIN, _MARGIN + 10, plot.title, style="title")
    return head + "\n".join((page, title, *parts)) + "\n</svg>\n"


def _text(x: float, y: float, text: str, *, style: str = "", anchor: str = "") -> str:
    more = (f' class="{style}"' if style else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'


def _box(style: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{style}" {place} style="stroke: none"/>'


def _line(style: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line class="{style}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'
