"""The formulas: against simulations, and against the benchmarks."""

import pytest

from benchmarks import results
from benchmarks.figures import OURS, Measured
from benchmarks.page import RESULTS
from benchmarks.scale import host, notice, warmth
from benchmarks.scale.__main__ import own_processor_seconds


@pytest.mark.parametrize("projects", [1, 20, 200])
@pytest.mark.parametrize("jobs", [5, 100, 1000])
def test_jobs_find_what_the_formula_says(projects: int, jobs: int) -> None:
    """Hosts that take jobs of projects at random find as much as computed."""
    parts = warmth.shares(projects)

    assert sum(parts) == pytest.approx(1)
    seen = warmth.simulate(jobs, parts, hosts=20000 // jobs, seed=3)
    assert seen == pytest.approx(warmth.found(jobs, parts), abs=0.02)


def test_half_of_the_jobs_find_something_after_so_many() -> None:
    """It is the first number for which it is so."""
    parts = warmth.shares(200)
    count = warmth.until_half(parts)

    assert warmth.at(count - 1, parts) < 0.5 <= warmth.at(count, parts)


@pytest.mark.parametrize("seconds", [0, 30, 120, 600])
def test_a_notice_saves_what_the_formula_says(seconds: float) -> None:
    """What is left of a job in a random moment is as long as a whole one."""
    seen = notice.simulate(seconds, 240, jobs=40000, seed=1)

    assert seen == pytest.approx(notice.lost(seconds, 240), abs=0.01)


def test_cores_bound_what_a_host_does() -> None:
    """One job at a time takes as long as alone, many take all cores, and more never do less."""
    one = host.jobs_an_hour(4, 1, processor=30, other=90)
    some = [host.jobs_an_hour(4, count, processor=30, other=90) for count in range(1, 60)]

    assert one == pytest.approx(3600 / 120)
    assert some == sorted(some)
    assert some[-1] == pytest.approx(4 / 30 * 3600, rel=0.001)
    assert host.jobs_an_hour(4, 9, processor=30, other=0) == pytest.approx(4 / 30 * 3600)


def test_one_core_is_the_known_repairman() -> None:
    """With one core, the formula is Erlang's B of the jobs that wait for something else."""
    jobs, processor, other = 6, 10.0, 40.0
    blocked = 1.0
    for number in range(1, jobs + 1):
        blocked = other / processor * blocked / (number + other / processor * blocked)

    assert host.jobs_an_hour(1, jobs, processor, other) == pytest.approx(
        (1 - blocked) / processor * 3600
    )


def test_enough_is_the_most_that_is_quick_enough() -> None:
    """One more job at a time would make all of them too slow."""
    count = host.enough(8, 60, 60, 1.25)

    assert host.seconds_each(8, count, 60, 60) <= 150 < host.seconds_each(8, count + 1, 60, 60)


@pytest.mark.parametrize("count", [4, 8, 16, 40])
def test_jobs_at_once_take_what_their_processor_time_says(count: int) -> None:
    """Real jobs that come together take no less than computed, and at most a third more."""
    found = results.read(RESULTS)
    together = Measured(found, "at-once", "26.1").of_runs(
        str(count), OURS, lambda each: each["wall"]
    )
    alone = Measured(found, "at-once", "26.1").of_runs("1", OURS, lambda each: each["wall"])
    cores = int(str(found.made["cores"]))

    least = host.all_at_once(cores, count, own_processor_seconds(), host.means(alone.values()))

    assert least < host.means(together.values()) < least * 1.33
