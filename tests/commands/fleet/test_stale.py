"""Runners that nobody calls for are deleted: few at once, and none that is used after all."""

from http import HTTPStatus

import pytest

from executor.commands.fleet.journal import Journal
from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.fleet.stale import DELETE, TooMany, checked, delete, settle, stale
from executor.commands.gitlab.client import Client, GitLabFailed
from tests.gitlab import moods, registry
from tests.gitlab.registry import RunnerRow
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

NOW, DAY = 4_000_000_000.0, 86400.0
MONTH = 30 * DAY
OLD = "2020-01-01T00:00:00Z"


def runner(number: int, silent: float) -> Runner:
    """Return a runner whose host has called so long ago."""
    return Runner(number, created=0.0, managers=(Manager("s_1", contacted=NOW - silent),))


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    return gitlab.registry.add({"created_at": OLD})


@pytest.fixture(name="client")
def _client(gitlab: GitLab) -> Client:
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    return Client(gitlab.url, token, sleep=lambda _: None)


def listed(client: Client, row: RunnerRow) -> Runner:
    """Return a runner as the list had it."""
    found = read_one(client, row.id)
    assert found is not None
    return found


def test_what_is_stale() -> None:
    """Silent for long; one that nobody called for counts from when it was made."""
    silent, used = runner(1, MONTH + 1), runner(2, MONTH - 1)
    busy = runner(3, MONTH + 1)
    busy = busy._replace(managers=(busy.managers[0]._replace(is_busy=True),))
    one_host = runner(4, MONTH + 1)
    one_host = one_host._replace(managers=(*one_host.managers, *used.managers))
    never, new, unknown = Runner(5, created=0.0), Runner(6, created=NOW - DAY), Runner(7)
    fleet = Fleet((silent, used, busy, one_host, never, new, unknown))

    assert [each.id for each in stale(fleet, NOW, MONTH)] == [1, 5]


def test_a_large_share_is_refused() -> None:
    """Then something else is wrong than that runners are old."""
    fleet = Fleet(tuple(runner(number, MONTH + number) for number in range(1, 11)))
    two = fleet.runners[:2]

    assert [each.id for each in checked(two, fleet, 0.2, 50)] == [2, 1]
    assert [each.id for each in checked(two, fleet, 0.2, 1)] == [2]
    with pytest.raises(
        TooMany, match="3 of 10 runners are silent, more than --max-share 20%"
    ) as of_ten:
        checked(fleet.runners[:3], fleet, 0.2, 50)
    assert "`--max-share 30%` admits" in str(of_ten.value)


@pytest.mark.parametrize("runners", [1, 2, 3, 58])
def test_a_refusal_names_the_share_that_admits_them(runners: int) -> None:
    """Of a few runners, one is more than the share that is right for many."""
    fleet = Fleet(tuple(runner(number, MONTH + number) for number in range(1, runners + 1)))
    # 29 of 100 is more than 0.29 * 100, as floating numbers have it.
    fleet = Fleet((*fleet.runners, *(Runner(number) for number in range(1, 43) if runners == 58)))
    found = fleet.runners[: max(1, runners // 2)]

    with pytest.raises(TooMany) as refused:
        checked(found, fleet, 0.0, 50)
    share = str(refused.value).partition("`--max-share ")[2].partition("%")[0]
    assert len(checked(found, fleet, int(share) / 100, 50)) == len(found)
    with pytest.raises(TooMany):
        checked(found, fleet, (int(share) - 1) / 100, 50)


def test_deleted(gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal) -> None:
    """It is gone, and the log says what it was; one that has gone before is gone."""
    found = listed(client, row)

    assert delete(client, journal, [found], NOW, MONTH).gone == (found,)
    assert row.id not in gitlab.registry.rows
    assert delete(client, journal, [found], NOW, MONTH).gone == (found,)


def test_one_that_polled_meanwhile_is_spared(
    gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal
) -> None:
    """Whatever its host's clock says: it has called since the list."""
    found = listed(client, row)
    row.managers["s_1"] = registry.Manager(1, "s_1", {}, "2020-01-02T00:00:00Z")

    assert delete(client, journal, [found], NOW, MONTH).spared == (found,)
    assert row.id in gitlab.registry.rows
    assert journal.last(f"{gitlab.url}/runners/{row.id}", DELETE) is None


def test_a_deletion_that_was_cut_off_is_settled(
    gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal
) -> None:
    """GitLab has deleted it, and nobody heard: the next call notes that."""
    target = f"{gitlab.url}/runners/{row.id}"
    found = listed(client, row)

    def done_and_silent(request: Request) -> Answer | None:
        if request.method != "DELETE":
            return None
        del gitlab.registry.rows[row.id]
        raise ConnectionResetError

    gitlab.mood = done_and_silent
    done = delete(client, journal, [found], NOW, MONTH)

    assert len(done.failures) == 1
    settle(client, journal)
    last = journal.last(target, DELETE)
    assert last is not None
    assert last.state == "done"
    assert journal.unsettled() == []


def test_one_that_is_still_there_was_not_deleted(
    gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal
) -> None:
    """The log says so, and the runner can be deleted then."""
    found = listed(client, row)
    gitlab.mood = moods.only_for("DELETE", f"/{row.id}", moods.broken(HTTPStatus.BAD_GATEWAY))
    delete(client, journal, [found], NOW, MONTH)
    gitlab.mood = lambda _: None

    settle(client, journal)

    assert journal.last(f"{gitlab.url}/runners/{row.id}", DELETE) is None
    assert delete(client, journal, [found], NOW, MONTH).gone == (found,)


def test_a_refusal_does_not_keep_the_others(
    gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal
) -> None:
    """A runner of several projects cannot be deleted (403): it is named, and the next one goes."""
    other = gitlab.registry.add({"created_at": OLD})
    found = [listed(client, row), listed(client, other)]
    body = b'{"message": "403 Forbidden - Runner associated with more than one project"}'
    refusal = Answer(HTTPStatus.FORBIDDEN, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("DELETE", f"/{row.id}", lambda _: refusal)

    done = delete(client, journal, found, NOW, MONTH)

    assert done.gone == (found[1],)
    assert done.failures[0].startswith(f"Runner {row.id}: ")
    assert "manage_runner" in done.failures[0]


def test_nothing_is_settled_while_gitlab_is_away(
    gitlab: GitLab, row: RunnerRow, client: Client, journal: Journal
) -> None:
    """A login page has not said that a runner is gone."""
    found = listed(client, row)
    gitlab.mood = moods.only_for("DELETE", f"/{row.id}", moods.broken(HTTPStatus.BAD_GATEWAY))
    delete(client, journal, [found], NOW, MONTH)
    gitlab.mood = moods.login_page

    with pytest.raises(GitLabFailed):
        settle(client, journal)
    assert len(journal.unsettled()) == 1
