"""The simulated queue: against what is known in closed form, and against a run of real gitlab-runners."""

import math
import random
from dataclasses import replace

import pytest

from benchmarks.scale import measured
from benchmarks.scale.fleet import Fleet, poisson, simulate, steady

RUN = measured.read().parts["queue"]


def _exponential(draw: random.Random) -> float:
    return draw.expovariate(1)


def _waits(servers: int, load: float) -> float:
    """Return the mean wait in a queue with so many servers, for jobs that take 1 s (Erlang's formula C)."""
    offered = servers * load
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    waiting = blocked / (1 - load * (1 - blocked))
    return waiting / (servers * (1 - load))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (4, 0.7), (8, 0.8)])
def test_a_host_that_asks_all_the_time_is_a_queue_with_servers(servers: int, load: float) -> None:
    """Jobs wait as long as Erlang's formula says."""
    until = 30000 / servers
    jobs = poisson(servers * load, _exponential, seed=2, until=until)

    seen = simulate(Fleet(1, servers, check_interval=0.05), jobs, seed=1, until=until, warm=100)

    # A free host looks again within 0.05 s, half of it on the average.
    assert seen.mean_wait == pytest.approx(_waits(servers, load) + 0.01, rel=0.15)


def test_a_job_waits_for_the_next_of_many_hosts_to_ask() -> None:
    """Of hosts that ask at random times, the first one asks after the interval by one more than them."""
    means = [
        simulate(
            Fleet(9, 50, check_interval=3),
            poisson(0.05, _exponential, seed=seed, until=4000),
            seed=seed,
            until=4000,
        ).mean_wait
        for seed in range(20)
    ]

    assert sum(means) / len(means) == pytest.approx(3 / 10, rel=0.1)


def test_idle_hosts_ask_once_in_each_interval() -> None:
    """Without jobs, requests are the hosts by the interval."""
    seen = simulate(Fleet(7, 4, check_interval=3), (), seed=1, until=3003, warm=3)

    assert seen.requests_a_second == pytest.approx(7 / 3, rel=0.01)


def test_long_polling_holds_idle_hosts() -> None:
    """A held request ends after its time, and the host asks again when it is due."""
    seen = simulate(Fleet(5, 4, check_interval=3, hold=50), (), seed=1, until=5102, warm=2)

    assert seen.without_job == 0
    assert seen.timed_out == pytest.approx(5 * 100, rel=0.02)


def test_a_job_wakes_all_that_are_held() -> None:
    """One is given the job at once, and the others are told that there is none; so is the one that asks again."""
    seen = simulate(Fleet(20, 4, check_interval=3, hold=50), [(10.0, 1.0)], seed=1)

    assert seen.waits == [0.0]
    assert (seen.with_job, seen.without_job) == (1, 19)


def test_a_full_host_asks_as_soon_as_a_job_ends() -> None:
    """Its time to ask has come while it was full."""
    fleet = Fleet(1, 1, check_interval=3, phases=(0.5,))

    seen = simulate(fleet, [(0.0, 7.0), (0.1, 2.0)], seed=1)

    assert seen.waits == pytest.approx([0.5, 7.4])


def test_work_is_neither_lost_nor_made() -> None:
    """As many jobs are handed out as come, and the slots are as busy as they bring."""
    seen = steady(Fleet(50, 4), job_seconds=60, load=0.5, seed=4, jobs=5000, requests=100000)

    assert seen.with_job == pytest.approx(50 * 4 * 0.5 / 60 * seen.seconds, rel=0.05)
    assert len(seen.waits) == seen.with_job
    assert seen.wait_of(0.5) <= seen.wait_of(0.99) <= max(seen.waits)


def test_the_same_seed_gives_the_same() -> None:
    """Tables change only with the model."""
    first, second, other = (
        steady(Fleet(20, 4), job_seconds=60, load=0.6, seed=seed, jobs=500, requests=9000)
        for seed in (1, 1, 2)
    )

    assert first == second
    assert first != other


def test_it_comes_to_what_real_runners_did() -> None:
    """Three real hosts with two slots, 40 jobs: each waits as long as it did, and GitLab is asked as often.

    When hosts began to ask, when jobs came and how long each took is what was seen then.
    """
    jobs = [(arrived, ended - taken) for arrived, taken, ended in RUN["jobs"]]
    waits = [taken - arrived for arrived, taken, _ in RUN["jobs"]]
    fleet = Fleet(RUN["hosts"], RUN["slots"], RUN["check_interval"], phases=(2.716, 2.748, 2.879))

    seen = simulate(replace(fleet), jobs, seed=1, until=math.inf)

    assert seen.with_job == RUN["requests"]["job"]
    assert seen.without_job == pytest.approx(RUN["requests"]["idle"], abs=2)
    assert seen.waits == pytest.approx(waits, abs=0.5)
    assert seen.ended == pytest.approx(RUN["seconds"], rel=0.01)
