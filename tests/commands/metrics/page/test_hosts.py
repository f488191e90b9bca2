"""The parts of the page that tell of the host."""

from executor.budgets.measured import Measured, Measurement
from executor.commands.metrics.left import Check, Doctor, Left
from executor.commands.metrics.page.facts import Facts
from executor.commands.metrics.page.hosts import host_parts, layers
from tests.commands.metrics.page.samples import NOW, facts
from tests.commands.metrics.page.test_markup import Reader


def part(found: Facts, title: str) -> str:
    return " ".join(Reader(dict(host_parts(found))[title]).texts)


def left(value: Left) -> Facts:
    found = facts()
    return found._replace(seen=found.seen._replace(left=value))


def test_nothing_is_known() -> None:
    """Each part says what would make it known."""
    found = left(Left(None, None, None))._replace(seen=facts().seen._replace(disks=[], left=None))

    assert "not seen from here" in part(found, "Disk")
    assert "dind-executor prune" in part(found, "Kept between jobs")
    assert "Nobody has looked yet" in part(found, "Sweeps")
    assert ("dind-executor doctor --record /var/lib/dind-executor/doctor.json") in part(
        found, "Doctor"
    )
    assert "No layers" in layers(found)


def test_disks() -> None:
    """What is free, of how much, and what a job needs."""
    text = part(facts(), "Disk")

    assert "100 bytes free of 1000 bytes" in text
    assert "A job begins with 20 bytes free or more." in text


def test_disks_of_an_engine_that_is_away() -> None:
    """Where they are, only the engine tells."""
    found = facts()

    text = part(found._replace(seen=found.seen._replace(engine=None, disks=[])), "Disk")

    assert text == "The Docker Engine's disks are seen when it answers."


def test_budgets() -> None:
    """What is kept has its limit beside it, or that there is none."""
    things = (Measured("image", "i", 150), Measured("builds", "b", 5))
    found = left(Left(None, Measurement(NOW - 7200, things), None))
    text = part(found, "Kept between jobs")

    assert "150 bytes of 100 bytes" in text
    assert "5 bytes, no limit" in text
    assert "Measured 2 h ago." in text
    assert 'class="bad"' in dict(host_parts(found))["Kept between jobs"]


def test_kept_layers() -> None:
    """The largest ones, and how many more."""
    things = tuple(Measured("layers", f"volume-{each}", 1000 - each) for each in range(20))
    text = " ".join(Reader(layers(left(Left(None, Measurement(NOW, things), None)))).texts)

    assert "volume-0" in text
    assert "volume-15" not in text
    assert "… and 5 more." in text


def test_a_sweep() -> None:
    """When it was and what it found; an error only where there is one."""
    sweep = facts().seen.left
    assert sweep is not None
    assert sweep.sweep is not None
    failed = left(sweep._replace(sweep=sweep.sweep._replace(error="the engine is away", left=("1-a",))))  # fmt: skip

    assert "60 s ago, by reap" in part(facts(), "Sweeps")
    assert "Failed" not in part(facts(), "Sweeps")
    assert "Failed the engine is away" in part(failed, "Sweeps")
    assert "1-a" in part(failed, "Sweeps")


def test_findings() -> None:
    """Whatever is not right has its remedy; what is right is a number."""
    checks = (Check("a", "ok", "fine", ""), Check("b", "fail", "broken", "glue"))
    doctor = Doctor(NOW - 300, is_ok=False, counts={"ok": 1, "fail": 1, "warn": 0}, checks=checks)
    text = part(left(Left(None, None, doctor)), "Doctor")

    assert "5 min ago: 1 ok, 1 fail." in text
    assert "broken" in text
    assert "glue" in text
    assert "fine" not in text
