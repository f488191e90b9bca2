"""A job's bars as text, for a terminal: pure."""

from executor.record.timeline import Row, Timeline, seconds_text, ticks

_LABELS = 34
_LENGTHS = 9
_FEWEST_COLUMNS = 20
_SPACE = 12
"""Columns from one number of the axis to the next."""


def as_text(job: Timeline, width: int, block: str = "█") -> list[str]:
    """Return the lines, each no longer than `width` but where that is less than a bar needs."""
    columns = max(width - _LABELS - _LENGTHS - 2, _FEWEST_COLUMNS)
    scale = columns / job.seconds if job.seconds else 0.0
    lines = [job.title, f"{'':{_LABELS}} {_axis(job, columns, scale)}".rstrip()]
    for row in job.rows:
        length = seconds_text(sum(each.end - each.begin for each in row.bars))
        bars = _bars(row, columns, scale, block)
        lines.append(f"{_label(row):{_LABELS}} {bars}{length:>{_LENGTHS}}")
    return lines


def _axis(job: Timeline, columns: int, scale: float) -> str:
    line = ""
    for moment in ticks(job.seconds, max(columns // _SPACE, 1)):
        text = f"{moment:g} s"
        at = int(moment * scale)
        if at + len(text) <= columns:
            line = f"{line:{at}}{text}"
    return line


def _bars(row: Row, columns: int, scale: float, block: str) -> str:
    cells = [" "] * columns
    for bar in row.bars:
        begin = min(int(bar.begin * scale), columns - 1)
        end = min(max(round(bar.end * scale), begin + 1), columns)
        cells[begin:end] = [block] * (end - begin)
    return "".join(cells)


def _label(row: Row) -> str:
    text = f"{'  ' if row.is_inner else ''}{row.label}"
    if row.note:
        text = f"{text} ({row.note})"
    return text if len(text) <= _LABELS else f"{text[: _LABELS - 3]}..."
