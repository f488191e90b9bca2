"""A job as bars: no moment without one, and what stands beside them."""

import random
from collections.abc import Sequence

import pytest

from executor.record.timeline import (
    CALL,
    GAP_SECONDS,
    OWN,
    RUNNER,
    START,
    Bar,
    Record,
    Timeline,
    seconds_text,
    ticks,
    timeline,
)
from tests.record.samples import a_job, a_record, thing


def rows(job: Timeline) -> dict[str, tuple[Bar, ...]]:
    """Return the bars by the labels of their rows."""
    return {row.label: row.bars for row in job.rows}


def holes(bars: Sequence[Bar], begin: float, end: float) -> list[tuple[float, float]]:
    """Return what no bar covers between two moments, and is longer than any may be."""
    found = []
    for bar in sorted(bars):
        if bar.begin - begin > GAP_SECONDS + 1e-9:
            found.append((begin, bar.begin))
        begin = max(begin, bar.end)
    return [*found, *([(begin, end)] if end - begin > GAP_SECONDS + 1e-9 else [])]


def test_calls_lie_between_bars_of_gitlab_runner() -> None:
    """All moments from the first process to the last call's end have a bar."""
    job = timeline(a_job())

    found = rows(job)

    calls = [bar for row in job.rows for bar in row.bars if bar.kind == CALL]
    assert holes([*calls, *found[RUNNER]], 0.0, job.seconds) == []
    assert calls[0].begin == 0.0
    assert calls[-1].end == job.seconds
    for bar in found[RUNNER]:
        assert all(bar.end <= each.begin or each.end <= bar.begin for each in calls)


def test_a_container_is_one_row_and_each_pull_another() -> None:
    """Its creation and its start follow each other; two images may have the same last name."""
    did = [
        thing("pull", 0.1, 0.5, image="app:1", bytes=1024),
        thing("pull", 0.1, 0.6, image="app:1"),
        thing("create", 0.6, 0.7, container="dind"),
        thing("start", 0.7, 0.9, container="dind"),
        thing("start", 0.7, 0.8, container="build"),
    ]
    job = timeline([a_record("prepare", 10.0, 1.0, did=did)])

    found = [(row.label, len(row.bars), row.note) for row in job.rows if row.is_inner]

    assert found == [
        ("pull app:1", 1, "1 KiB"),
        ("pull app:1", 1, ""),
        ("container dind", 2, ""),
        ("container build", 1, ""),
        (OWN, 2, ""),
    ]


def test_a_script_alone_is_its_call() -> None:
    """What it took beside that is so little that another row would only be in the way."""
    did = [thing("dind", 0.001, 0.002), thing("script", 0.002, 0.98, exit_code=0)]

    job = timeline([a_record("run", 10.0, 1.0, step="build_script", did=did)])

    assert list(rows(job)) == ["build_script"]


def test_what_a_call_does_beside_what_it_names_has_a_bar() -> None:
    """It starts, reads, decides and writes: in stretches that are long enough to be asked about."""
    did = [thing("pull", 0.2, 0.5, image="a"), thing("pull", 0.54, 0.9, image="b")]

    job = timeline([a_record("prepare", 10.0, 1.0, start=0.1, did=did)])

    found = {
        label: [(round(it.begin, 3), round(it.end, 3)) for it in bars]
        for label, bars in rows(job).items()
    }
    assert found[START] == [(0.0, 0.1)]
    assert found[OWN] == [(0.1, 0.3), (1.0, 1.1)]


def test_a_call_that_takes_longer_than_its_script_has_bars_for_that() -> None:
    """The start of Python, and the look at dind after a script that failed."""
    did = [thing("script", 0.01, 0.5, exit_code=1), thing("look", 0.5, 1.4, container="dind")]

    job = timeline([a_record("run", 10.0, 1.6, start=0.2, step="build_script", did=did)])
    alone = timeline([a_record("run", 10.0, 0.6, start=0.2, step="build_script", did=did[:1])])

    assert list(rows(job)) == ["build_script", START, "script", "look at dind", OWN]
    assert list(rows(alone)) == ["build_script", START, "script", OWN]


@pytest.mark.parametrize("seed", range(20))
def test_no_gap_is_without_a_bar_whatever_the_records_say(seed: int) -> None:
    """Neither between calls, nor in a call whose things have rows."""
    dice = random.Random(seed)
    records: list[Record] = []
    now = 100.0
    for number in range(dice.randrange(1, 12)):
        start, seconds = dice.random() / 4, dice.random() * 3
        now += start + dice.random() * dice.choice((0.0, 0.02, 1.0))
        times = [sorted((dice.random() * seconds, dice.random() * seconds)) for _ in range(5)]
        did = [thing("pull", *each, image=str(place)) for place, each in enumerate(times)]
        stage = dice.choice(("prepare", "run", "cleanup"))
        records.append(a_record(stage, now, seconds, start=start, did=did[: number % 6]))
        now += seconds

    job = timeline(records)

    outer = [bar for row in job.rows for bar in row.bars if bar.kind in (CALL, RUNNER)]
    assert holes(outer, 0.0, job.seconds) == []
    inner: list[Bar] = []
    call: Bar | None = None
    for row in [*job.rows, None]:
        if row is None or not row.is_inner:
            assert call is None or not inner or holes(inner, call.begin, call.end) == []
            inner, call = [], row.bars[0] if row else None
        else:
            inner += row.bars


def test_calls_do_not_overlap_although_a_beginning_is_not_known_exactly() -> None:
    """The kernel says it in hundredths of a second."""
    job = timeline([a_record("config", 10.0, 0.5), a_record("prepare", 10.52, 1.0, start=0.025)])

    config, prepare = (row.bars[0] for row in job.rows)

    assert config.end == prepare.begin == 0.5


def test_a_host_that_was_restarted_counts_by_the_clock_of_the_day() -> None:
    """Its monotonic clock has begun again."""
    first = a_record("config", 5000.0, 0.5, at=1000.0)
    second = a_record("cleanup", 30.0, 1.0, at=1060.0)

    job = timeline([second, first])

    assert [row.label for row in job.rows] == ["config", "cleanup", RUNNER]
    assert job.seconds == 61.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "success, 0.5 s"),
        ({"result": "canceled"}, "canceled, 0.5 s"),
        ({"outcome": "build_failure", "reason": "image"}, "failed (image), 0.5 s"),
    ],
)
def test_the_title_says_how_the_job_ended(changes: dict[str, object], words: str) -> None:
    """As gitlab-runner has told it, or by the first call that failed."""
    job = timeline([a_record("cleanup", 1.0, 0.5, **changes)])

    assert job.title == f"Job 4711 of project 42: {words}"
    assert job.rows[0].note == str(changes.get("reason", ""))


@pytest.mark.parametrize(
    "did",
    [
        None,
        "x",
        [5],
        [{"what": "pull"}],
        [{"what": "lost", "from": 0.1}],
        [{"to": "x", "from": {}}],
    ],
)
def test_a_record_of_another_version_is_drawn_as_far_as_it_is_known(did: object) -> None:
    """Its call has a bar at least."""
    job = timeline([a_record("prepare", 1.0, 0.5, did=did)])

    assert job.rows[0] == ("prepare", (Bar(0.0, 0.5, CALL),), "", False)


@pytest.mark.parametrize(
    ("seconds", "most", "found"),
    [
        (0.0, 5, [0.0]),
        (1.0, 5, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (5.6, 6, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        (3600.0, 4, [0.0, 1000.0, 2000.0, 3000.0]),
    ],
)
def test_the_axis_has_round_numbers(seconds: float, most: int, found: list[float]) -> None:
    """As many as there is room for."""
    assert ticks(seconds, most) == found


def test_short_times_are_told_in_milliseconds() -> None:
    """Longer ones in seconds."""
    assert [seconds_text(each) for each in (0.0314, 0.9994, 2.5)] == ["31 ms", "999 ms", "2.50 s"]
