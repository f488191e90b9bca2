"""Jobs as people bring them: a few quick ones of `tests/data/habits`.

All of them, under the Docker executor too: `python -m tests.load.side_by_side`.
"""

from collections.abc import Mapping

import pytest

from tests.gitlab import habit_runs, habits
from tests.gitlab.habit_runs import REPOSITORY, Side
from tests.gitlab.habits import OURS, Ended, Habit
from tests.hooks import HOOKS
from tests.rig.state import Rig

ALL = habits.read()
FAST = [habit for habit in ALL if habit.fast]


@pytest.fixture(scope="module")
def ended(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Habit, Ended]]:
    """How each of the quick ones had to end, and ended."""
    found: dict[str, tuple[Habit, Ended]] = {}

    def take(_: Side, habit: Habit, ended: Ended) -> None:
        found[habit.name] = habit, ended

    with habit_runs.site(rig, tmp_path_factory.mktemp("habits"), FAST) as place:
        habit_runs.run(place, FAST, [Side(OURS, HOOKS)], take, concurrent=3)
    return found


@pytest.mark.parametrize("habit", FAST, ids=lambda habit: habit.name)
def test_it_ends_as_is_right(ended: Mapping[str, tuple[Habit, Ended]], habit: Habit) -> None:
    """The job's state and log are as the input says, and the host and the engine as before."""
    habit, end = ended[habit.name]
    assert habits.faults(end, habit.end(OURS)) == [], f"{habit.what}\n{end.log}"


def test_every_exception_is_named() -> None:
    """What dind-executor may do less well has words in docs/parity.md, or readers are misled."""
    page = " ".join((REPOSITORY / "docs" / "parity.md").read_text(encoding="utf-8").split())
    named = habits.exceptions()
    assert {habit.exception for habit in ALL if habit.by_ours is not None} == set(named)
    assert [words for words in named.values() if words not in page] == []


def test_an_end_that_is_not_right_is_told() -> None:
    """Each thing that is not as it must be has a sentence."""
    log = "$ echo wanted\nERROR: Job failed\nforbidden\n"
    end = Ended("failed", 2, log, tries=3, remains=["on the host: home"], migrate="")
    right = habits.End(code=0, says=["wanted", "Job"], never=["forbidden"], migrate=["gone"])
    assert habits.faults(end, right) == [
        "the job: failed ",
        "exit code 2",
        "not said: wanted",
        "said: forbidden",
        "migrate does not say: gone",
        "3 tries",
        "on the host: home",
    ]
