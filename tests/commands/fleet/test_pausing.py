"""A runner is paused and resumed in GitLab: once, and only by whoever has paused it."""

from http import HTTPStatus

import pytest

from executor.commands.fleet.journal import Journal
from executor.commands.fleet.pausing import NotOurs, Pausing
from executor.commands.gitlab.client import Client, GitLabFailed
from tests.gitlab import moods
from tests.gitlab.registry import RunnerRow
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    return gitlab.registry.add({})


def pausing(gitlab: GitLab, row: RunnerRow, *scopes: str) -> Pausing:
    """Return what pauses a runner, with the least scopes."""
    token = gitlab.registry.add_user(scopes or ("read_api", "manage_runner"))
    return Pausing(Client(gitlab.url, token, sleep=lambda _: None), row.id)


def puts(gitlab: GitLab) -> list[bytes]:
    """Note the changes that GitLab is asked for from now on."""
    seen: list[bytes] = []

    def noting(request: Request) -> Answer | None:
        if request.method == "PUT":
            seen.append(request.body)
        return None

    gitlab.mood = noting
    return seen


def test_paused_and_resumed_once(gitlab: GitLab, row: RunnerRow, journal: Journal) -> None:
    """A second call of each changes nothing."""
    runner, seen = pausing(gitlab, row), puts(gitlab)

    assert (runner.pause(journal), runner.pause(journal), row.paused) == (True, True, True)
    assert (runner.resume(journal), runner.resume(journal)) == (True, False)
    assert not row.paused
    assert len(seen) == 2


def test_what_another_has_paused_stays(gitlab: GitLab, row: RunnerRow, journal: Journal) -> None:
    """It is drained too, and it is not this command that resumes it."""
    row.paused = True
    runner = pausing(gitlab, row)

    assert not runner.pause(journal)
    with pytest.raises(NotOurs, match="Resume it in GitLab"):
        runner.resume(journal)
    assert row.paused


def test_a_change_that_was_cut_off_is_not_made_twice(
    gitlab: GitLab, row: RunnerRow, journal: Journal
) -> None:
    """GitLab has done it and the answer was lost: the next call sees that, and knows it for its own."""
    runner = pausing(gitlab, row)

    def done_and_silent(request: Request) -> Answer | None:
        if request.method != "PUT":
            return None
        row.paused = True
        raise ConnectionResetError

    gitlab.mood = done_and_silent
    with pytest.raises(GitLabFailed):
        runner.pause(journal)
    seen = puts(gitlab)

    assert runner.pause(journal)
    assert seen == []
    assert runner.resume(journal)


def test_a_change_that_never_came_is_made(gitlab: GitLab, row: RunnerRow, journal: Journal) -> None:
    """The line before it is no proof that it was."""
    runner = pausing(gitlab, row)
    gitlab.mood = moods.only_for("PUT", f"/runners/{row.id}", moods.broken(HTTPStatus.BAD_GATEWAY))
    with pytest.raises(GitLabFailed):
        runner.pause(journal)
    seen = puts(gitlab)

    assert runner.pause(journal)
    assert len(seen) == 1
    assert row.paused


def test_another_commands_change_is_left_to_it(
    gitlab: GitLab, row: RunnerRow, journal: Journal
) -> None:
    """A rotation of the same runner was cut off: it stays so, and the runner is resumed nevertheless."""
    runner = pausing(gitlab, row)
    assert runner.pause(journal)
    with pytest.raises(ValueError, match="cut"), journal.changing("rotate", runner.target, {}, {}):
        raise ValueError("cut off")

    assert runner.resume(journal)

    assert not row.paused
    assert [(each.action, each.state) for each in journal.unsettled()] == [("rotate", "unknown")]


def test_the_least_scope_is_named(gitlab: GitLab, row: RunnerRow, journal: Journal) -> None:
    """Reading is not enough for a change."""
    with pytest.raises(GitLabFailed, match="`manage_runner`"):
        pausing(gitlab, row, "read_api").pause(journal)


def test_which_jobs_are_left(gitlab: GitLab, row: RunnerRow) -> None:
    """Those that run; a GitLab that is away has not said that none does."""
    runner = pausing(gitlab, row)
    assert runner.left() is None
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, "s_1")

    assert runner.left() == [str(job.id)]
    gitlab.mood = moods.broken(HTTPStatus.BAD_GATEWAY)
    assert runner.left() == []


def test_a_runner_that_is_not_there(gitlab: GitLab, row: RunnerRow) -> None:
    """Its number is named."""
    del gitlab.registry.rows[row.id]

    with pytest.raises(GitLabFailed, match=f"no runner {row.id} "):
        pausing(gitlab, row).runner()
