"""What is wrong with a fleet, and what is not."""

from pathlib import Path

import pytest

from executor.commands.fleet.rows import LEGACY, Fleet, Manager, Runner
from executor.commands.fleet.rules import audit

NOW = 10_000_000.0
HOUR, DAY = 3600.0, 86400.0
HOST = Manager("s_1", "19.3.0", "10.0.0.1", NOW - 30)
OTHER = Manager("s_2", "19.2.1", "10.0.0.2", NOW - 30)
GOOD = Runner(1, "good", "group_type", tags=("docker",), created=0.0, managers=(HOST, OTHER))


def rules(*runners: Runner, failures: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    """Return what is found, beside a runner that nothing is wrong with."""
    found = audit(Fleet((GOOD, *runners), "19.3.2", failures), NOW)
    return [(each.rule, each.runner.id) for each in found]


def test_nothing_is_wrong() -> None:
    """Two hosts, a minor version apart, that take jobs by a tag."""
    assert rules() == []


BAD = {
    "open": GOOD._replace(untagged=True),
    "token-expires": GOOD._replace(expires=NOW + DAY),
    "never-contacted": GOOD._replace(managers=(), contacted=None),
    "silent-runner": GOOD._replace(managers=(HOST._replace(contacted=NOW - 3 * HOUR),)),
    "silent-with-jobs": GOOD._replace(
        managers=(HOST, OTHER._replace(contacted=NOW - 3 * HOUR, is_busy=True))
    ),
    "no-system-id": GOOD._replace(managers=(HOST, OTHER._replace(system_id=LEGACY))),
    "newer-than-gitlab": GOOD._replace(managers=(HOST._replace(version="19.4.0"),)),
    "old-version": GOOD._replace(managers=(HOST, OTHER._replace(version="19.1.0"))),
    "paused-alone": GOOD._replace(paused=True, tags=("gpu",)),
}


@pytest.mark.parametrize("rule", BAD)
def test_each_fault_is_found_alone(rule: str) -> None:
    """One runner has one fault, and there is one finding."""
    assert rules(BAD[rule]._replace(id=2)) == [(rule, 2)]


def test_all_faults_at_once_are_found_once_each() -> None:
    """No finding hides another, or brings one with it."""
    bad = [each._replace(id=number) for number, each in enumerate(BAD.values(), 2)]

    assert rules(*bad) == [(rule, number) for number, rule in enumerate(BAD, 2)]


def test_hosts_of_one_image() -> None:
    """Each runner with such a host is named."""
    clone = GOOD._replace(id=2, managers=(HOST._replace(address="10.0.0.9"),))

    assert rules(clone) == [("duplicate-system-id", 1), ("duplicate-system-id", 2)]


@pytest.mark.parametrize(
    "host",
    [
        HOST._replace(address="2001:db8::1"),
        HOST._replace(address="10.0.0.9", contacted=NOW - DAY),
        HOST._replace(address=""),
    ],
)
def test_one_host_with_several_addresses(host: Manager) -> None:
    """It may call by both families, and have had another address before."""
    assert rules(GOOD._replace(id=2, managers=(host, OTHER))) == []


@pytest.mark.parametrize(
    "runner",
    [
        GOOD._replace(untagged=True, protected=True),
        GOOD._replace(expires=NOW + 30 * DAY),
        GOOD._replace(managers=(), created=NOW - HOUR),
        GOOD._replace(managers=(HOST, OTHER._replace(contacted=NOW - DAY, version="16.0.0"))),
        GOOD._replace(paused=True),
        GOOD._replace(paused=True, managers=(HOST._replace(contacted=NOW - DAY),)),
        GOOD._replace(managers=(HOST._replace(version="19.2.0"),)),
        GOOD._replace(managers=(HOST._replace(version="a build of somebody"),)),
    ],
)
def test_what_is_no_fault(runner: Runner) -> None:
    """Hosts come and go, and administrators pause what others stand in for."""
    assert rules(runner._replace(id=2)) == []


def test_minor_versions_across_a_major_one() -> None:
    """18.11 is followed by 19.0."""
    new = GOOD._replace(managers=(HOST._replace(version="19.0.0"),))
    old = GOOD._replace(id=2, managers=(OTHER._replace(version="18.11.0"),))

    assert audit(Fleet((new, old), "19.0.0"), NOW) == ()


def test_a_runner_that_takes_less_does_not_stand_in() -> None:
    """Jobs without tags, or of branches that are not protected, wait for the one that is paused."""
    paused = GOOD._replace(id=2, paused=True, tags=("gpu",))
    protected = GOOD._replace(id=3, tags=("gpu",), protected=True)

    assert rules(paused, protected) == [("paused-alone", 2)]
    assert rules(paused, protected, protected._replace(id=4, protected=False)) == []


def test_what_could_not_be_read_may_stand_in() -> None:
    """Nothing is concluded from what is missing."""
    assert rules(BAD["paused-alone"]._replace(id=2), failures=("Runner 9: ...",)) == []


@pytest.mark.parametrize("rule", [*BAD, "duplicate-system-id"])
def test_each_rule_is_documented(rule: str) -> None:
    """An administrator finds it by its id."""
    page = Path(__file__).parents[3] / "docs" / "fleet.md"

    assert f'<a id="{rule}"></a>`{rule}`' in page.read_text(encoding="utf-8")
