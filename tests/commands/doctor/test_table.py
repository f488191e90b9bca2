"""All checks: each has a fault that it finds, a host that passes it, and a place in the manual."""

import re
from pathlib import Path

import pytest

from executor.commands.doctor.about_service import REMEDIES
from executor.commands.doctor.table import CHECKS, IDS
from executor.record import words
from tests.commands.doctor.faults import ELSEWHERE, FAULTS, RIGHT, Fault
from tests.commands.doctor.hosts import Host

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: f"{each.check}-{each.name}")
def test_a_fault_is_found(tmp_path: Path, fault: Fault) -> None:
    """A host with one fault fails the check that is for it, and the remedy names what helps."""
    host = Host(tmp_path)
    fault.change(host)

    found = [each for each in host.found(fault.check) if each.level == fault.level]

    assert any(fault.words in each.found and fault.remedy in each.remedy for each in found), found


@pytest.mark.parametrize("check", [each.id for each in CHECKS if each.id not in ELSEWHERE])
def test_a_right_host_passes(tmp_path: Path, check: str) -> None:
    """A host without a fault passes each check, and none is skipped."""
    host = Host(tmp_path)
    if check in RIGHT:
        RIGHT[check](host)

    assert [each.level for each in host.found(check)] == ["ok"], host.found(check)


def test_each_check_has_a_fault() -> None:
    """No check is without a fixture that fails it."""
    shown = {each.check for each in FAULTS if each.level in {"warn", "fail"}}

    assert {each.id for each in CHECKS} - shown == set(ELSEWHERE)


def test_the_manual_has_each_check() -> None:
    """docs/doctor.md has a heading for each id, in the order of the table, and for no other."""
    headings = re.findall(r"^### `([a-z-]+)`$", PAGE.read_text(), re.MULTILINE)

    assert tuple(headings) == IDS


def test_each_check_that_a_sentence_names_is_there() -> None:
    """What errors, findings and pages tell people to run are checks that exist."""
    root = PAGE.parents[1]
    texts = [path.read_text() for path in (*root.glob("executor/**/*.py"), *root.glob("docs/*.md"))]
    joined = [re.sub(r'"\s+f?"', "", each) for each in texts]
    named = [
        each
        for text in joined
        for ids in re.findall(r"doctor (?:--online )?--only ([a-z,-]+)", text)
        for each in ids.split(",")
    ]

    assert set(named) <= set(IDS)
    assert {"engine-socket", "subnets", "disk", "log", "config", "runtime", "mirror"} <= set(named)


def test_the_causes_of_failures_lead_to_checks() -> None:
    """Each word for a failure leads to checks that exist, and is a word of the records."""
    assert {each for ids in REMEDIES.values() for each in ids} <= set(IDS)
    assert set(REMEDIES) <= set(words.REASONS.values())
