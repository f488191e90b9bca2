"""What a person and a monitor read of a prune: a table, or a JSON object a line, and an exit code.

Names come from the engine: no character of theirs moves a terminal's cursor.  Pure.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from executor.budgets.choice import NO_ROOM, TOO_LARGE, TOO_MUCH, UNUSED
from executor.budgets.things import Stays, Thing
from executor.commands.reap.report import plain
from executor.notation.durations import age_text
from executor.notation.sizes import size_text

DONE, LEFT = 0, 1

ASKED = "asked"
"""Why something goes that the call names."""

REASONS = {
    ASKED: "the call names its project",
    UNUSED: "no job has used it for longer than the settings say",
    TOO_MUCH: "its kind exceeds its budget, and it is the least recently used",
    TOO_LARGE: "it takes more than the settings allow a single one",
    NO_ROOM: "the disk lacks room, and it is the least recently used",
    Stays.IN_USE: "a container has it",
    Stays.CLAIMED: "a job in preparation has claimed it",
    Stays.SETTINGS: "the settings name it",
    Stays.OTHER_NAME: "it has a name by which no job pulled it",
}
"""What the words for reasons mean."""

_HEAD = ("KIND", "SIZE", "LAST USED", "VERDICT", "WHY", "NAME")


class Row(NamedTuple):
    """One thing that is kept, and what has become of it or would."""

    thing: Thing
    reason: str = ""
    """Why it must go, or why it must stay; "" where neither is so."""
    goes: bool = False
    removed: bool = False
    left: str = ""
    """Why it could not be removed."""


class Total(NamedTuple):
    """What one budget says of its things, before anything is removed."""

    what: str
    things: int
    size: int
    budget: int
    """In bytes; 0 for none."""
    excess: int = 0
    """What is too much after the removal, in bytes: what takes it must stay."""


def exit_code(rows: Sequence[Row], totals: Sequence[Total]) -> int:
    """Return 1 where something is left that must go, or a budget is exceeded by what must stay."""
    is_left = any(row.goes and not row.removed for row in rows)
    return LEFT if is_left or any(each.excess for each in totals) else DONE


def table(rows: Sequence[Row], now: float) -> list[str]:
    """Return the lines of a table for people, nothing where there are no rows."""
    if not rows:
        return []
    cells = [_HEAD, *(_cells(row, now) for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_HEAD))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cells(row: Row, now: float) -> tuple[str, ...]:
    thing = row.thing
    verdict = "removed" if row.removed else "remove" if row.goes else "keep"
    why = "; ".join(each for each in (REASONS.get(row.reason, row.reason), row.left) if each)
    used = age_text(now - thing.used)
    size = "-" if thing.size is None else size_text(thing.size)
    return tuple(map(plain, (thing.kind, size, used, verdict, why or "-", thing.shown)))


def summary(rows: Sequence[Row], totals: Sequence[Total], *, acted: bool) -> list[str]:
    """Return the sentences below the table."""
    lines = [_total(each) for each in totals]
    to_go = [row for row in rows if row.goes and not row.removed]
    removed = [row for row in rows if row.removed]
    if removed:
        lines.append(f"{_number(removed)} removed.")
    if to_go:
        lines.append(
            f"{_number(to_go)} left: see above."
            if acted
            else f"{_number(to_go)} removed with --yes."
        )
    return lines


def _number(rows: Sequence[Row]) -> str:
    return f"{len(rows)} {'thing is' if len(rows) == 1 else 'things are'}"


def _total(total: Total) -> str:
    budget = f"the budget is {size_text(total.budget)}" if total.budget else "there is no budget"
    excess = (
        f" {size_text(total.excess)} too much is in use or otherwise has to stay."
        if total.excess
        else ""
    )
    return f"{total.what}: {total.things}, {size_text(total.size)} ({budget}).{excess}"


def json_lines(
    rows: Sequence[Row], totals: Sequence[Total], remarks: Sequence[str], *, acted: bool
) -> list[str]:
    """Return one JSON object for each thing, and one for all."""
    lines = [json.dumps(_as_json(row)) for row in rows]
    whole = {
        "summary": True,
        "acted": acted,
        "totals": [each._asdict() for each in totals],
        "removed": sum(row.removed for row in rows),
        "left": sum(row.goes and not row.removed for row in rows),
        "remarks": list(remarks),
        "exit_code": exit_code(rows, totals),
    }
    return [*lines, json.dumps(whole)]


def _as_json(row: Row) -> dict[str, object]:
    thing = row.thing
    return {
        "kind": thing.kind,
        "name": thing.shown,
        "id": thing.name,
        "bytes": thing.size,
        "last_used": round(thing.used),
        "verdict": "remove" if row.goes else "keep",
        "reason": row.reason,
        "removed": row.removed,
        "left": row.left,
    }
