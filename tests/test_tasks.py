"""Things that go on at the same time."""

import threading

import pytest

from executor.tasks import Task
from tests.patience import LONGEST_SECONDS


def test_a_task_starts_at_once() -> None:
    """Its function runs before anybody asks for the result."""
    started = threading.Event()

    task = Task(started.set)

    assert started.wait(LONGEST_SECONDS)
    assert task.result() is None


def test_a_result_is_waited_for() -> None:
    """The result may be asked for before it is there, and more than once."""
    go_on = threading.Event()
    task = Task(lambda: go_on.wait(LONGEST_SECONDS))
    threading.Timer(0.05, go_on.set).start()

    assert [task.result(), task.result()] == [True, True]


def test_tasks_wait_for_each_other() -> None:
    """A task that needs the result of another one asks for it."""
    go_on = threading.Event()
    first = Task(lambda: go_on.wait(LONGEST_SECONDS))
    second = Task(lambda: ("after", first.result()))

    go_on.set()

    assert second.result() == ("after", True)


@pytest.mark.parametrize("error", [ValueError("a"), SystemExit(3), KeyboardInterrupt()])
def test_an_error_is_raised_where_the_result_is_asked_for(error: BaseException) -> None:
    """The very exception of the function is raised, each time and of whatever kind."""

    def fails() -> None:
        raise error

    task = Task(fails)

    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            task.result()
        assert caught.value is error
