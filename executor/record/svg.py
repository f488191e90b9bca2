"""Jobs' bars as an SVG picture, which a browser shows by itself, light or dark: pure."""

from collections.abc import Iterable, Sequence

from executor.record.timeline import Bar, Row, Timeline, seconds_text, ticks

_LABELS, _BARS, _LENGTHS = 300, 760, 90
"""The widths of the three columns."""
_MARGIN, _LINE, _BAR = 16, 20, 12
_LONGEST_LABEL = 40
"""Characters that fit into their column, in any monospaced font of the size below."""
_MOST_TICKS = 8

STYLE = """\
svg { background: #ffffff; color-scheme: light dark }
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
.title { font-size: 14px; font-weight: bold }
.faint { fill: #59636e }
.grid { stroke: #d1d9e0 }
.call { fill: #4c78a8 } .pull { fill: #3a8f5c } .container { fill: #d9822b }
.script { fill: #8a5fbf } .other { fill: #2f9e9e } .own { fill: #7d8590 } .runner { fill: #b6bec7 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
text { fill: #e6edf3 }
.faint { fill: #9198a1 }
.grid { stroke: #30363d }
.call { fill: #6ea8dc } .pull { fill: #57b97e } .container { fill: #f0a04b }
.script { fill: #b18be0 } .other { fill: #4cc3c3 } .own { fill: #9aa3ad } .runner { fill: #57606a }
}
"""


def as_svg(jobs: Sequence[Timeline], style: str = STYLE) -> str:
    """Return the picture of one job, or of several, each on an axis of its own.

    A page that has a style of its own for the classes leaves that out.
    """
    width = 2 * _MARGIN + _LABELS + _BARS + _LENGTHS
    body: list[str] = []
    top = float(_MARGIN)
    for job in jobs:
        top += _LINE
        body.append(_text(_MARGIN, top, job.title, "title"))
        top += _LINE + 4
        body += _axis(job, top)
        top += _LINE
        for row in job.rows:
            body += _row(row, job.seconds, top)
            top += _LINE
        top += _LINE
    height = int(top) + _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{_escaped('; '.join(each.title for each in jobs))}</title>",
            *([f"<style>\n{style}</style>"] if style else []),
            *body,
            "</svg>\n",
        )
    )


def _axis(job: Timeline, top: float) -> Iterable[str]:
    bottom = top + _LINE * (len(job.rows) + 1)
    for moment in ticks(job.seconds, _MOST_TICKS):
        x = _x(moment, job.seconds)
        yield f'<path class="grid" d="M{x:.1f} {top + 6:.1f}V{bottom:.1f}"/>'
        yield _text(x, top, f"{moment:g} s", "faint", "middle")


def _row(row: Row, seconds: float, top: float) -> Iterable[str]:
    baseline = top + _LINE - 6
    label = f"{row.label} ({row.note})" if row.note else row.label
    indent = 16 if row.is_inner else 0
    most = _LONGEST_LABEL - indent // 8
    shown = label if len(label) <= most else f"{label[: most - 1]}…"
    yield _text(_MARGIN + indent, baseline, shown, "faint" if row.is_inner else "")
    for bar in row.bars:
        yield _bar(bar, label, seconds, top)
    length = seconds_text(sum(each.end - each.begin for each in row.bars))
    right = _MARGIN + _LABELS + _BARS + _LENGTHS
    yield _text(right, baseline, length, "faint", "end")


def _bar(bar: Bar, label: str, seconds: float, top: float) -> str:
    x, end = _x(bar.begin, seconds), _x(bar.end, seconds)
    kind = {"gitlab-runner": "runner", "dind-executor": "own"}.get(bar.kind, bar.kind)
    told = f"{label}: {seconds_text(bar.end - bar.begin)}, from {bar.begin:.3f} s"
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{top + (_LINE - _BAR) / 2:.1f}"'
        f' width="{max(end - x, 1.5):.1f}" height="{_BAR}" rx="2"><title>{_escaped(told)}</title></rect>'
    )


def _x(moment: float, seconds: float) -> float:
    return _MARGIN + _LABELS + (_BARS * moment / seconds if seconds else 0.0)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "") -> str:
    said = f' class="{kind}"' if kind else ""
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{said}{where}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, name)
    # What no XML may hold would make a browser show none of it.
    return "".join(each for each in text if each.isprintable())
