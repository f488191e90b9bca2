"""The inputs of `tests/data/habits` under the Docker executor and under dind-executor, side by side.

`python -m tests.load.side_by_side` takes some 20 minutes, `--only` a kind or some inputs less.  It
prints how each input ended on either side, and fails where one of ours is not as is right, or worse
than the Docker executor's, but for the exceptions that docs/parity.md names.  An input that does not
end on the Docker executor's side as it says is wrong itself, and is named too.

`--before DIR` adds another installation of dind-executor, for comparison.  `--keep FILE` keeps how
inputs ended under the Docker executor, which changes only with the inputs.
"""

import argparse
import dataclasses
import fnmatch
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.gitlab import habit_runs, habits
from tests.gitlab.habit_runs import REPOSITORY, Side, Site
from tests.gitlab.habits import DOCKER, OURS, Ended, Habit
from tests.rig import state

PARITY = REPOSITORY / "docs" / "parity.md"
BEFORE = "before"
_HERE = {"docker": "Docker executor", "ours": "dind-executor", "before": "before"}


class Table:
    """What came of the inputs."""

    def __init__(self, inputs: Sequence[Habit], sides: Sequence[Side], logs: Path | None) -> None:
        self._inputs, self._sides, self._logs = inputs, sides, logs
        self._ended: dict[tuple[str, str], Ended] = {}

    def take(self, side: Side, habit: Habit, ended: Ended) -> None:
        """Take an end, and say at once how it is."""
        self._ended[habit.name, side.name] = ended
        print(f"  {habit.kind:10} {habit.name:34} {_HERE[side.name]:16} {self.cell(habit, side)}")
        for fault in habits.faults(ended, habit.right) or habits.faults(
            ended, habit.end(side.judged_as)
        ):
            print(f"  {'':10} {'':34} {'':16} - {fault}")
        sys.stdout.flush()
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            text = f"{ended.log}\n{ended.migrate or ''}"
            (self._logs / f"{habit.name}.{side.name}.log").write_text(text, encoding="utf-8")

    def cell(self, habit: Habit, side: Side) -> str:
        """Return whether an input ended as is right, and in how many seconds."""
        ended = self._ended.get((habit.name, side.name))
        if ended is None:
            return "-"
        word = "pass" if not habits.faults(ended, habit.right) else "fail"
        return f"{word} {ended.seconds:6.1f} s"

    def wrong(self, habit: Habit) -> list[str]:
        """Return what is wrong with an input: its end here, or what it says of the other side."""
        found = []
        for side in self._sides:
            ended = self._ended.get((habit.name, side.name))
            if ended is None or side.name == BEFORE:
                continue
            faults = habits.faults(ended, habit.end(side.judged_as))
            if faults and side.name == DOCKER:
                found.append(f"the input is wrong of the Docker executor: {'; '.join(faults)}")
            elif faults:
                worse = self._is_right(habit, DOCKER)
                word = "worse than the Docker executor" if worse else "not right"
                found.append(f"{word}: {'; '.join(faults)}")
        return found

    def _is_right(self, habit: Habit, side: str) -> bool:
        ended = self._ended.get((habit.name, side))
        return ended is not None and not habits.faults(ended, habit.right)

    def print(self) -> None:
        """Print the table, and the share of inputs that are right on each side."""
        print(f"\n{'input':44} " + " ".join(f"{_HERE[side.name]:>16}" for side in self._sides))
        for habit in self._inputs:
            cells = " ".join(f"{self.cell(habit, side):>16}" for side in self._sides)
            more = f"  ({habit.exception})" if habit.exception else ""
            print(f"{habit.kind + ': ' + habit.name:44} {cells}{more}")
        for further in (False, True):
            some = [habit for habit in self._inputs if habit.further is further]
            for side in self._sides:
                asked = [habit for habit in some if (habit.name, side.name) in self._ended]
                right = [habit for habit in asked if self._is_right(habit, side.name)]
                word = "further inputs" if further else "inputs"
                print(f"{_HERE[side.name]}: {len(right)} of {len(asked)} {word} end as is right")


class Kept:
    """How inputs ended under the Docker executor, in a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            self._entries = json.loads(path.read_text(encoding="utf-8"))

    def of(self, habit: Habit) -> Ended | None:
        """Return how an input ended that has not changed since."""
        entry = self._entries.get(habit.name)
        return Ended(**entry["ended"]) if entry and entry["input"] == self._input(habit) else None

    def take(self, habit: Habit, ended: Ended) -> None:
        """Keep an end."""
        entry = {"input": self._input(habit), "ended": dataclasses.asdict(ended)}
        self._entries[habit.name] = entry
        if self._path is not None:
            self._path.write_text(json.dumps(self._entries, indent=1), encoding="utf-8")

    @staticmethod
    def _input(habit: Habit) -> str:
        """Return what decides how an input ends, and nothing of how it must."""
        given = (habit.pipeline, habit.administrator, habit.variables, habit.masked, habit.images)
        return repr((*given, habit.host, habit.logins))


def unnamed(inputs: Sequence[Habit], page: str, named: Mapping[str, str]) -> list[str]:
    """Return the exceptions of inputs that the page about parity does not name."""
    text = " ".join(page.split())
    used = {habit.exception for habit in inputs if habit.exception}
    return sorted(each for each in used if each not in named or named[each] not in text)


def chosen(inputs: Sequence[Habit], patterns: Sequence[str]) -> list[Habit]:
    """Return the inputs whose name or kind fits one of the patterns; without any, all."""
    return [
        habit
        for habit in inputs
        if not patterns
        or any(
            fnmatch.fnmatch(word, each) for each in patterns for word in (habit.name, habit.kind)
        )
    ]


def main(args: Sequence[str] | None = None) -> int:
    """Return 0, or 1 where an input ends otherwise than it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.side_by_side")
    parser.add_argument("--only", nargs="+", default=[], help="names or kinds, with * and ?")
    parser.add_argument("--before", type=Path, help="another installation: the prefix of `install`")
    parser.add_argument("--side", choices=(DOCKER, OURS), help="one executor alone")
    parser.add_argument("--logs", type=Path, help="write the job logs into this directory")
    parser.add_argument("--concurrent", type=int, default=2, help="jobs of one runner at a time")
    parser.add_argument("--keep", type=Path, help="ends under the Docker executor, kept in a file")
    given = parser.parse_args(args)
    inputs = chosen(habits.read(), given.only)
    if not inputs:
        parser.error(f"there is no such input: {' '.join(given.only)}")
    sides = [Side(DOCKER), Side(OURS, REPOSITORY / "hooks")]
    sides = [side for side in sides if given.side in (None, side.name)]
    if given.before is not None:
        sides.append(Side(BEFORE, given.before.resolve() / "hooks"))
    kept = Kept(given.keep)
    with (
        tempfile.TemporaryDirectory(prefix="side-by-side-") as name,
        habit_runs.site(state.load(), Path(name), inputs) as place,
    ):
        inputs = [habit_runs.at_site(habit, place) for habit in inputs]
        table = Table(inputs, sides, given.logs)
        _run(place, inputs, sides, table, kept, given.concurrent)
    table.print()
    wrong = [f"{habit.name}: {each}" for habit in inputs for each in table.wrong(habit)]
    page = PARITY.read_text(encoding="utf-8")
    wrong += [
        f"docs/parity.md does not name the exception {each}"
        for each in unnamed(inputs, page, habits.exceptions())
    ]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _run(
    place: Site,
    inputs: Sequence[Habit],
    sides: Sequence[Side],
    table: Table,
    kept: Kept,
    concurrent: int,
) -> None:
    """Run the inputs on all sides, but for what is known of the Docker executor."""
    unknown = [habit for habit in inputs if kept.of(habit) is None]

    def take(side: Side, habit: Habit, ended: Ended) -> None:
        table.take(side, habit, ended)
        if side.name == DOCKER:
            kept.take(habit, ended)

    if any(side.name == DOCKER for side in sides):
        for habit in inputs:
            ended = kept.of(habit)
            if ended is not None:
                table.take(Side(DOCKER), habit, ended)
    habit_runs.run(place, unknown, sides, take, concurrent=concurrent)
    known = [habit for habit in inputs if habit not in unknown]
    others = [side for side in sides if side.name != DOCKER]
    habit_runs.run(place, known, others, take, concurrent=concurrent)


if __name__ == "__main__":
    sys.exit(main())
