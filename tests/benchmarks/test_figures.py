"""Medians, ratios, and ranges over the runs."""

from dataclasses import replace

from benchmarks.figures import DOCKER, HAND, OURS, Measured, Spread, ratio, summary
from benchmarks.results import Sample, Task
from tests.benchmarks import small


def test_the_added_time_is_without_script_and_without_the_part_of_gitlab_runner() -> None:
    """What the shell executor takes in the same run is gitlab-runner's part, bare calls have none."""
    jobs = Measured(small.results(), "jobs", "26.1")

    assert jobs.added("dind", OURS) == {1: 1.5, 2: 1.5}
    assert jobs.added("dind", DOCKER) == {1: 6.0, 2: 9.0}
    assert jobs.added("dind", HAND) == {1: 5.0, 2: 5.0}


def test_a_ratio_is_formed_within_a_run() -> None:
    """Each run has its ratio, and the spread is over them."""
    assert ratio({1: 1.0, 2: 2.0}, {1: 2.0, 2: 2.0, 3: 9.0}) == Spread(0.75, 0.5, 1.0)
    assert ratio({1: 1.0}, {}) is None


def test_the_figure_of_a_run_is_the_median_of_its_rounds() -> None:
    """One round that something else held up says nothing."""
    task = Task(1, "jobs", "26.1", 1, "echo", OURS)
    samples = [
        Sample(replace(task, round=number), {"wall": wall})
        for number, wall in enumerate((1.0, 9.0, 2.0), start=1)
    ]
    failed = Sample(replace(task, round=4), {})
    jobs = Measured(replace(small.results(), samples=(*samples, failed)), "jobs", "26.1")

    assert jobs.of_runs("echo", OURS, lambda each: each["wall"]) == {1: 2.0}
    assert (jobs.rounds, jobs.runs) == (3, 1)


def test_the_summary_has_a_line_for_each_comparison() -> None:
    """A person sees the ratios as soon as they are measured."""
    echo, service, network, docker, kept, one, eight, *builds = summary(small.results())

    of = "of the Docker executor's"
    assert echo == f"dind 26.1.5, `echo`, default mode, added: 1.00 s, 0.417 (0.333 to 0.500) {of}"
    assert service.endswith(f" added: 0.75 s, 0.312 (0.250 to 0.375) {of}")
    assert network.endswith(f" added: 0.75 s, 0.312 (0.250 to 0.375) {of}")
    assert docker.endswith(f" added: 1.50 s, 0.208 (0.167 to 0.250) {of}")
    assert kept.endswith(f" added: 1.00 s, 0.139 (0.111 to 0.167) {of}")
    assert one == f"dind 26.1.5, 1 at once: 3.00 s (2.00 to 4.00), 0.500 {of}"
    assert eight == f"dind 26.1.5, 8 at once: 24.00 s (16.00 to 32.00), 0.500 {of}"
    assert builds[1] == "dind 26.1.5, rebuilt: 0.38 s (0.25 to 0.50), 0.025 of the cold build"
    assert len(builds) == 4
