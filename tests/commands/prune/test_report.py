"""What people and monitors read of a prune."""

import json

import pytest

from executor.budgets.choice import TOO_LARGE, TOO_MUCH, UNUSED
from executor.budgets.things import CACHE, Stays, Thing
from executor.commands.prune.report import (
    REASONS,
    Row,
    Total,
    exit_code,
    json_lines,
    summary,
    table,
)

NOW = 1_000_000.0
THING = Thing(CACHE, "a", "a", NOW - 7200, 2048)
KEPT = Row(THING, "in-use")
GOES = Row(THING, UNUSED, goes=True)
WENT = Row(THING, TOO_MUCH, goes=True, removed=True)
LEFT = Row(THING, UNUSED, goes=True, left="volume is in use")
TOTAL = Total("Caches", 3, 6144, 4096)


def test_each_thing_has_its_line() -> None:
    """What it is, how large, when it was used, and what becomes of it and why."""
    head, kept, goes = table([KEPT, GOES], NOW)

    assert head.split() == ["KIND", "SIZE", "LAST", "USED", "VERDICT", "WHY", "NAME"]
    assert kept.split("  ")[0] == "cache"
    assert "2 KiB" in kept
    assert "2 h" in kept
    assert "keep" in kept
    assert "a container has it" in kept
    assert "remove" in goes
    assert table([], NOW) == []


def test_a_name_moves_no_cursor() -> None:
    """Whatever an engine calls something."""
    row = Row(THING._replace(shown="a\x1b[2Jb\n"))

    assert table([row], NOW)[1].endswith("a?[2Jb?")


def test_what_could_not_be_removed_says_why() -> None:
    """The engine's words stand in the line."""
    assert "volume is in use" in table([LEFT], NOW)[1]


@pytest.mark.parametrize(
    ("rows", "total", "code"),
    [
        ([], TOTAL, 0),
        ([KEPT, WENT], TOTAL, 0),
        ([GOES], TOTAL, 1),
        ([LEFT], TOTAL, 1),
        ([KEPT], TOTAL._replace(excess=1), 1),
    ],
)
def test_the_exit_code(rows: list[Row], total: Total, code: int) -> None:
    """1 tells a monitor that something is too much and still there."""
    assert exit_code(rows, [total]) == code


def test_the_sentences_below_the_table() -> None:
    """How much there is, what the budget is, and what `--yes` would do or has done."""
    assert summary([GOES], [TOTAL], acted=False) == [
        "Caches: 3, 6 KiB (the budget is 4 KiB).",
        "1 thing is removed with --yes.",
    ]
    assert summary([WENT, WENT, LEFT], [TOTAL], acted=True)[1:] == [
        "2 things are removed.",
        "1 thing is left: see above.",
    ]
    over = TOTAL._replace(budget=0, excess=1024)
    assert "there is no budget" in summary([], [over], acted=True)[0]
    assert "1 KiB too much is in use" in summary([], [over], acted=True)[0]


def test_a_json_object_for_each_thing_and_one_for_all() -> None:
    """For scripts: sizes in bytes, times in seconds since 1970."""
    first, last = (json.loads(each) for each in json_lines([WENT], [TOTAL], ["said"], acted=True))

    assert first == {
        "kind": "cache",
        "name": "a",
        "id": "a",
        "bytes": 2048,
        "last_used": round(NOW - 7200),
        "verdict": "remove",
        "reason": "over-budget",
        "removed": True,
        "left": "",
    }
    assert (last["removed"], last["left"], last["exit_code"], last["remarks"]) == (
        1,
        0,
        0,
        ["said"],
    )
    assert last["totals"][0]["budget"] == 4096


def test_every_reason_has_words() -> None:
    """A word of the program is no sentence."""
    words = {
        "asked",
        UNUSED,
        TOO_MUCH,
        TOO_LARGE,
        "disk-full",
        *(each.value for each in Stays if each),
    }

    assert set(map(str, REASONS)) == words


def test_what_was_never_measured_has_no_size() -> None:
    """Nor is it said to take nothing."""
    thing = Thing(CACHE, "a", "a", 0.0)

    _, line = table(
        [
            Row(thing),
        ],
        0.0,
    )

    assert line.split()[:2] == [CACHE, "-"]
