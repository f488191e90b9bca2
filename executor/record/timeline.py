"""One job as bars on a common axis: pure.

What lies between two calls of gitlab-runner is one bar of its own, and so are, inside a call, the start
of Python and what lies between the things that its record names.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from executor.notation.sizes import size_text
from executor.record.values import number

Record = Mapping[str, object]

RUNNER = "gitlab-runner"
START = "start of Python"
"""What a call takes before the program can look at a clock."""
OWN = "dind-executor"
"""What a call does beside what its record names: it loads, reads, decides and writes."""
GAP_SECONDS = 0.05
"""What lies between two things and is shorter gets no bar."""

CALL, PULL, CONTAINER, SCRIPT, OTHER = "call", "pull", "container", "script", "other"
"""The kinds of bars, beside `RUNNER` and `OWN`."""

_SHORT_SECONDS = 0.01
"""What is shorter is no bar inside a call; a pull and a container always are."""
_KINDS = {
    "pull": PULL,
    "load": PULL,
    "create": CONTAINER,
    "start": CONTAINER,
    "service": CONTAINER,
    "script": SCRIPT,
    "cancel": SCRIPT,
}
_LABELS = {
    "read": "settings and job",
    "engine": "first answers of the engine",
    "survey": "look at networks",
    "remove": "removal",
    "room": "room on the disk",
    "dind": "wait for dind",
    "look": "look at dind",
}


class Bar(NamedTuple):
    """From when to when, in seconds since the job's beginning."""

    begin: float
    end: float
    kind: str


class Row(NamedTuple):
    """What stands on one line."""

    label: str
    bars: tuple[Bar, ...]
    note: str = ""
    is_inner: bool = False
    """Whether it is a part of the call above it."""


class Timeline(NamedTuple):
    """A job."""

    title: str
    seconds: float
    rows: tuple[Row, ...]


def timeline(records: Iterable[Record]) -> Timeline:
    """Return the picture of a job of which there is at least one record."""
    calls = _calls(sorted(records, key=lambda each: number(each, "at")))
    rows: list[Row] = []
    between: list[Bar] = []
    end = 0.0
    for record, begin, base in calls:
        if begin > end:
            between.append(Bar(end, begin, RUNNER))
        end = max(end, round(base + number(record, "seconds"), 3))
        rows += _rows(record, Bar(begin, end, CALL), base)
    if between:
        rows.append(Row(RUNNER, tuple(between)))
    return Timeline(_title([each for each, _, _ in calls], end), end, tuple(rows))


def _calls(records: Sequence[Record]) -> list[tuple[Record, float, float]]:
    """Return each record with when its process began, and what its own times count from.

    The host's monotonic clock counts, unless it was restarted meanwhile.
    """
    clocks = [number(each, "clock") for each in records]
    clock = "clock" if clocks == sorted(clocks) else "at"
    zero = number(records[0], clock) - number(records[0], "start")
    found = []
    end = 0.0
    for record in records:
        base = number(record, clock) - zero
        # A process's beginning is known to a hundredth of a second, and calls do not overlap.
        begin = min(max(base - number(record, "start"), end), max(base, 0.0))
        begin, base = round(begin, 3), round(base, 3)
        end = base + number(record, "seconds")
        found.append((record, begin, base))
    return found


def _rows(record: Record, call: Bar, base: float) -> list[Row]:
    """Return the row of a call, and those of what it did where that is more than one script.

    One script alone has a row where the call took notably longer.
    """
    name = str(record.get("step") or record.get("stage"))
    outcome, reason = str(record.get("outcome")), str(record.get("reason", ""))
    note = "" if outcome == "success" else reason or outcome
    own = Row(name, (call,), note)
    did = list(_inner(record, base))
    if not did:
        return [own]
    start = Bar(call.begin, min(max(base, call.begin), call.end), OTHER)
    starts = [Row(START, (start,), is_inner=True)] if start.end - start.begin > GAP_SECONDS else []
    inner = [*starts, *did]
    gaps = _gaps(call, [bar for row in inner for bar in row.bars])
    if len(inner) == 1 and not gaps and record.get("stage") == "run":
        return [own]
    return [own, *inner, *([Row(OWN, gaps, is_inner=True)] if gaps else [])]


def _inner(record: Record, base: float) -> Iterable[Row]:
    """Yield the rows of what a call did; the makings of one container are one row."""
    rows: dict[str, list[Bar]] = {}
    notes: dict[str, str] = {}
    did = record.get("did")
    for place, thing in enumerate(did if isinstance(did, list) else ()):
        if not isinstance(thing, Mapping) or "to" not in thing:
            continue
        what = str(thing.get("what"))
        bar = Bar(base + number(thing, "from"), base + number(thing, "to"), _KINDS.get(what, OTHER))
        if bar.kind not in (PULL, CONTAINER) and bar.end - bar.begin < _SHORT_SECONDS:
            continue
        label = _label(thing, what)
        # Two pulls of images whose last names are the same are two rows.
        key = f"{label} {place}" if bar.kind == PULL else label
        rows.setdefault(key, []).append(bar)
        notes[key] = _note(thing) or notes.get(key, "")
    for key, bars in rows.items():
        label = key.rpartition(" ")[0] if bars[0].kind == PULL else key
        yield Row(label, tuple(bars), notes[key], is_inner=True)


def _label(thing: Record, what: str) -> str:
    if "image" in thing:
        return f"{what} {thing['image']}"
    if what in ("create", "start", "service"):
        return f"container {thing.get('container', '')}".rstrip()
    return _LABELS.get(what, what)


def _note(thing: Record) -> str:
    if "why" in thing:
        return f"failed: {thing['why']}"
    moved = thing.get("bytes")
    return size_text(moved) if isinstance(moved, int) and moved > 0 else ""


def _gaps(call: Bar, bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """Return what no bar covers inside a call, where that is long enough to be asked about."""
    found = []
    end = call.begin
    for bar in sorted(bars):
        if bar.begin - end > GAP_SECONDS:
            found.append(Bar(end, bar.begin, OWN))
        end = max(end, bar.end)
    if call.end - end > GAP_SECONDS:
        found.append(Bar(end, call.end, OWN))
    return tuple(found)


def _title(records: Sequence[Record], seconds: float) -> str:
    failed = [each for each in records if each.get("outcome") != "success"]
    result = next((str(each["result"]) for each in records if "result" in each), "")
    if not result:
        result = f"failed ({failed[0].get('reason', '')})" if failed else "success"
    return f"Job {records[0].get('job')} of project {records[0].get('project')}: {result}, {seconds:.1f} s"


def ticks(seconds: float, most: int) -> list[float]:
    """Return the round moments of an axis, no more than `most` after 0."""
    step = 0.001
    factors = (2.0, 2.5, 2.0)
    turn = 0
    while seconds / step > most:
        step *= factors[turn % len(factors)]
        turn += 1
    return [round(each * step, 3) for each in range(int(seconds / step + 1e-9) + 1)]


def seconds_text(seconds: float) -> str:
    """Return a length of time as it stands beside a bar."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
