"""Checks at the same time: what they find, and what becomes of one that crashes or hangs."""

import threading
from pathlib import Path

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import Check, Finding, ok
from executor.commands.doctor.work import check_all, in_time
from tests.commands.doctor.hosts import Host


def _crash(_: Facts) -> list[Finding]:
    raise ZeroDivisionError("of the tests")


def test_a_check_that_crashes_is_a_finding(tmp_path: Path) -> None:
    """The others are made nevertheless, and it says what went wrong."""
    facts = Host(tmp_path).facts()
    checks = [
        Check("bad", "x", _crash),
        Check("good", "x", lambda _: [ok("yes")]),
    ]

    bad, good = check_all(checks, facts)

    assert bad.finding.level == "error"
    assert "ZeroDivisionError at test_work.py:" in bad.finding.found
    assert "of the tests" not in bad.finding.found
    assert good.finding == ok("yes")


def test_a_check_that_hangs_is_a_finding(tmp_path: Path) -> None:
    """Nobody waits for it beyond its deadline."""
    never = threading.Event()
    hangs = Check("hangs", "x", lambda _: [ok(str(never.wait(60)))], seconds=0.05)

    (result,) = check_all([hangs], Host(tmp_path).facts())
    never.set()

    assert result.finding.level == "error"
    assert "took longer" in result.finding.found


def test_all_go_on_at_the_same_time() -> None:
    """Two that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=30)

    outcomes = in_time([(barrier.wait, 30.0), (barrier.wait, 30.0)])

    assert {outcome for outcome, _ in outcomes} == {0, 1}


def test_an_ignored_check_is_marked(tmp_path: Path) -> None:
    """It is made all the same, and says that it does not count."""
    (result,) = check_all([Check("a", "x", lambda _: [ok("")])], Host(tmp_path).facts(), ["a"])

    assert result.ignored
    assert not result.counts
