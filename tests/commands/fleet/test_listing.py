"""What is read from GitLab, by how many clients, and what of it is missing."""

import threading
from http import HTTPStatus

import pytest

from executor.commands.fleet.listing import Place, read_fleet, read_one
from executor.commands.gitlab.client import Client, GitLabFailed
from tests.gitlab import moods
from tests.gitlab.registry import Manager
from tests.gitlab.server import GitLab
from tests.web import Answer, Request


def clients(gitlab: GitLab, count: int = 8) -> list[Client]:
    """Return clients that do not wait."""
    token = gitlab.administrators_token
    return [Client(gitlab.url, token, sleep=lambda _: None) for _ in range(count)]


def no_progress(done: int, all_of_them: int) -> None:
    """Nobody watches."""


def plant(gitlab: GitLab, count: int, hosts: int) -> None:
    """Have so many runners with so many hosts each, and no other."""
    gitlab.registry.rows.clear()
    for _ in range(count):
        row = gitlab.registry.add({})
        for number in range(hosts):
            name = f"s_{row.id}_{number}"
            row.managers[name] = Manager(row.id * 10 + number, name, {}, "2020-01-01T00:00:00Z")


def test_all_pages_over_few_connections(gitlab: GitLab) -> None:
    """120 runners with 3 hosts each: each is there once, and at most 8 requests are under way."""
    plant(gitlab, 120, 3)
    lock = threading.Lock()
    under_way, most, seen = [0], [0], []
    answer = gitlab._api.answer

    def counted(request: Request) -> Answer:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        try:
            return answer(request)
        finally:
            with lock:
                under_way[0] -= 1

    gitlab.mood = counted

    fleet = read_fleet(clients(gitlab), Place(), lambda done, of: seen.append((done, of)))

    assert [each.id for each in fleet.runners] == sorted(gitlab.registry.rows)
    assert {len(each.managers) for each in fleet.runners} == {3}
    assert (fleet.gitlab, fleet.failures) == ("19.3.0", ())
    assert seen == [(done, 120) for done in range(1, 121)]
    assert most[0] <= 8


def test_a_runner_that_cannot_be_read_is_named(gitlab: GitLab) -> None:
    """The others are there nevertheless."""
    plant(gitlab, 3, 1)
    second = sorted(gitlab.registry.rows)[1]
    broken = moods.broken(HTTPStatus.BAD_GATEWAY)
    gitlab.mood = moods.only_for("GET", f"/runners/{second}/managers", broken)

    fleet = read_fleet(clients(gitlab, 2), Place(), no_progress)

    assert len(fleet.runners) == 2
    (failure,) = fleet.failures
    assert failure.startswith(f"Runner {second}: GitLab at ")


def test_a_list_that_is_not_whole_is_none(gitlab: GitLab) -> None:
    """A page that fails is never taken for the end."""
    plant(gitlab, 101, 0)

    def second_page(request: Request) -> Answer | None:
        broken = moods.broken(HTTPStatus.BAD_GATEWAY)
        return broken(request) if "page=2" in request.query else None

    gitlab.mood = second_page

    with pytest.raises(GitLabFailed, match="502"):
        read_fleet(clients(gitlab), Place(), no_progress)


def test_a_runner_that_was_deleted_meanwhile(gitlab: GitLab) -> None:
    """It is not there, and that is no failure, whenever it went."""
    (client,) = clients(gitlab, 1)
    row = gitlab.registry.add({})

    def going(request: Request) -> Answer | None:
        if request.path.endswith("/managers"):
            del gitlab.registry.rows[row.id]
        return None

    gitlab.mood = going

    assert read_one(client, row.id) is None
    assert read_one(client, row.id) is None


def test_a_gitlab_that_knows_no_hosts(gitlab: GitLab) -> None:
    """A runner that is there is not taken for one that was deleted."""
    (client,) = clients(gitlab, 1)
    row = gitlab.registry.add({})
    not_found = Answer(HTTPStatus.NOT_FOUND, b"{}", {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("GET", "/managers", lambda _: not_found)

    with pytest.raises(GitLabFailed, match="managers"):
        read_one(client, row.id)


def test_what_a_token_lacks_is_said(gitlab: GitLab) -> None:
    """The least scope, and the role in the group that was meant."""
    token = gitlab.registry.add_user({"read_user"})

    with pytest.raises(
        GitLabFailed, match=r"`read_api`.*the role Maintainer or Owner in the group 7"
    ):
        read_fleet([Client(gitlab.url, token)], Place("group", "7"), no_progress)
