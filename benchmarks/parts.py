"""The parts of a measurement: what each consists of, how long that takes, and who does it."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import builds, contenders
from benchmarks.contenders import Measure
from benchmarks.figures import COLD, DOCKER, HAND, NETWORK, OURS, SERVICE, SHELL
from benchmarks.jobs import AT_ONCE
from benchmarks.results import Task
from benchmarks.stage_cost import MEASURES
from executor.settings.dind import DindSettings
from tests.rig.state import Rig

_MANY = 16
_SHARE = 5
"""Long measurements are made once where short ones are made so many times."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part, which has the same cases and contenders in each round."""

    name: str
    cases: Callable[[str], tuple[tuple[str, str], ...]]
    """From a generation of dind to what is measured, and who is."""
    of_each_dind: bool
    rounds: Callable[[int, str], int]
    """From the rounds that are asked for, and a case, to its own."""
    seconds: Callable[[str, str], float]
    """About how long a case takes a contender."""
    measuring: Callable[[Rig, str, Path], contextlib.AbstractContextManager[Measure]]

    def tasks(self, run: int, dind: str, rounds: int) -> list[Task]:
        """Return what is to do in one run; round 0 warms up and is of no account.

        Who is first may find the engine warm, or not: all are first in turn.
        """
        found, cases = [], self.cases(dind)
        for number in range(max(self.rounds(rounds, case) for case, _ in cases) + 1):
            for case, who in cases if number % 2 else reversed(cases):
                if number <= self.rounds(rounds, case):
                    found.append(Task(run, self.name, dind, number, case, who))
        return [each for each in found if each.round or _warms_up(each)]


def _warms_up(task: Task) -> bool:
    """Tell whether a first round is worth its time: not where so many jobs run at once."""
    return task.part != "at-once" or task.case == "8"


def _jobs_cases(*, has_runner: bool) -> tuple[tuple[str, str], ...]:
    """Return the jobs, each with its contenders, so that those that relate stand together."""
    if not has_runner:
        return (("echo", OURS), ("echo", SERVICE), ("echo", HAND), ("dind", OURS), ("dind", HAND))
    return (
        ("echo", SHELL), ("echo", DOCKER), ("echo", OURS), ("echo", SERVICE), ("echo", NETWORK),
        ("echo", HAND),
        ("dind", DOCKER), ("dind", OURS), ("dind", NETWORK), ("dind", HAND),
    )  # fmt: skip


def _has_kept_layers() -> bool:
    return hasattr(DindSettings, builds.KEY)


def _layers_cases(dind: str) -> tuple[tuple[str, str], ...]:
    cold = tuple((each, DOCKER) for each in builds.cases(dind) if each.startswith(COLD))
    return (*cold, *((each, OURS) for each in builds.cases(dind)))


def _rare(rounds: int, case: str) -> int:
    """Return the rounds of what takes minutes: a few, and of the longest one."""
    return 1 if case.isdecimal() and int(case) >= _MANY else -(-rounds // _SHARE)


_JOB_SECONDS = {
    ("echo", DOCKER): 4.0, ("echo", OURS): 3.0, ("echo", SERVICE): 2.5, ("echo", SHELL): 1.0,
    ("echo", NETWORK): 3.0, ("dind", NETWORK): 4.5,
    ("echo", HAND): 2.5, ("dind", DOCKER): 8.5, ("dind", OURS): 4.5, ("dind", HAND): 7.5,
}  # fmt: skip
_LOG_SECONDS = {DOCKER: 20.0, OURS: 10.0, SHELL: 2.0}


def all_parts(*, has_runner: bool) -> Sequence[Part]:
    """Return the parts in the order in which they are measured; without gitlab-runner, some."""
    jobs = Part(
        name="jobs",
        cases=lambda _: _jobs_cases(has_runner=has_runner),
        of_each_dind=True,
        rounds=lambda rounds, _: rounds,
        seconds=lambda case, who: _JOB_SECONDS[case, who],
        measuring=contenders.one_by_one,
    )
    at_once = Part(
        name="at-once",
        cases=lambda _: tuple((str(count), who) for count in AT_ONCE for who in (DOCKER, OURS)),
        of_each_dind=True,
        rounds=_rare,
        seconds=lambda case, who: 5 + int(case) * (3.0 if who == DOCKER else 1.8),
        measuring=contenders.at_once,
    )
    log = Part(
        name="log",
        cases=lambda _: tuple(("log", who) for who in (DOCKER, OURS, SHELL)),
        of_each_dind=False,
        rounds=_rare,
        seconds=lambda _, who: _LOG_SECONDS[who],
        measuring=contenders.long_log,
    )
    layers = Part(
        name="layers",
        cases=_layers_cases,
        of_each_dind=True,
        rounds=_rare,
        seconds=lambda case, _: 25.0 if case.startswith(COLD) else 6.0,
        measuring=contenders.kept_layers,
    )
    stages = Part(
        name="stages",
        cases=lambda _: tuple((measure, OURS) for measure in MEASURES),
        of_each_dind=False,
        rounds=lambda rounds, _: 2 * rounds,
        seconds=lambda *_: 0.2,
        measuring=contenders.program,
    )
    if not has_runner:
        return (jobs, stages)
    return (jobs, at_once, *([layers] if _has_kept_layers() else []), log, stages)


@contextlib.contextmanager
def measuring(part: Part, rig: Rig, dind: str) -> Iterator[Measure]:
    """Have everything ready that a part needs, in a directory of its own."""
    with (
        tempfile.TemporaryDirectory(prefix=f"benchmark-{part.name}-") as name,
        part.measuring(rig, dind, Path(name)) as measure,
    ):
        yield measure
