"""What needs somebody's attention."""

from typing import Any

import pytest

from executor.commands.metrics.left import Doctor, Left
from executor.commands.metrics.page.facts import CRITICAL, Facts, problems
from executor.commands.metrics.page.rows import past_rows
from executor.host.disk import Free, Place
from tests.commands.metrics.page.samples import NOW, ended, facts


def left(**changes: Any) -> Facts:
    """Return the facts of a host where others have left something else."""
    found = facts()
    assert found.seen.left is not None
    return found._replace(seen=found.seen._replace(left=found.seen.left._replace(**changes)))


def swept(**changes: Any) -> Facts:
    found = facts().seen.left
    assert found is not None
    assert found.sweep is not None
    return left(sweep=found.sweep._replace(**changes))


def seen(**changes: Any) -> Facts:
    found = facts()
    return found._replace(seen=found.seen._replace(**changes))


def test_a_host_without_a_fault() -> None:
    """There is nothing to say, and neither is there of a new host."""
    assert problems(facts()) == []
    assert problems(left(sweep=None, measurement=None, doctor=None)) == []
    assert problems(facts(past=[])) == []


BAD = Doctor(0.0, is_ok=False, counts={"ok": 1, "fail": 1, "error": 1}, checks=())
SMALL = [(Place("/data", "/data", 1), Free(19, None, 1000))]


@pytest.mark.parametrize(
    ("found", "words", "critical"),
    [
        (seen(engine=None), "Docker Engine does not answer", True),
        (seen(disks=SMALL), "No job can begin: 19 bytes are free in /data.", True),
        (facts(is_read=False), "records of jobs cannot be read", False),
        (facts(silent=1), "1 job was never ended", False),
        (facts(silent=2), "2 jobs were never ended", False),
        (facts(past=past_rows([ended("system_failure", "lost")] * 3)), "3 of the last 3 jobs", False),
        (swept(error="the engine is away"), "sweep failed: the engine is away", False),
        (swept(at=NOW - 2 * 86400), "The last sweep was 2 d ago", False),
        (swept(left=("1-a",)), "What 1 dead job left cannot be removed", False),
        (left(doctor=BAD), "doctor found 2 things", False),
        (facts(budgets={"sources_and_caches": 4}), "More sources and caches are kept", False),
    ],
)  # fmt: skip
def test_a_fault_is_said(found: Facts, words: str, *, critical: bool) -> None:
    """One sentence for each."""
    (problem,) = problems(found)

    assert words in problem.sentence
    assert (problem.level == CRITICAL) is critical


def test_addresses_that_run_out() -> None:
    """Before a job fails of it."""
    engine = facts().seen.engine
    assert engine is not None

    (problem,) = problems(seen(engine=engine._replace(networks_used=90, networks_capacity=100)))

    assert "addresses" in problem.sentence


def test_the_worst_comes_first() -> None:
    """Whatever the order in which it was found."""
    both = facts(silent=1, seen=seen(engine=None).seen)

    assert [each.level for each in problems(both)] == ["critical", "warning"]


def test_two_failures_are_no_alarm() -> None:
    """A hundred jobs may have one or two."""
    assert problems(facts(past=past_rows([ended("system_failure", "lost")] * 2))) == []


def test_nobody_looks_at_disks() -> None:
    """Where the settings want nothing to be free, a full disk is none of them."""
    assert problems(seen(disks=SMALL)._replace(limits=None)) == []
    assert Left(None, None, None).kept["images"] == 0
