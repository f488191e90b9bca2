"""The runner in GitLab: created once, with the least scope, and deleted again."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.register.creation import Creation, Wanted, delete, this_machine
from tests.gitlab import moods, server
from tests.gitlab.server import GitLab
from tests.web import Answer

GROUP = Wanted("builder-1", "group_type", "7", ("docker", "arm"))


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


def creation(
    gitlab: GitLab, *scopes: str, wanted: Wanted = GROUP, machine: str = "0123", admin: bool = False
) -> Creation:
    """Return a creation with a token of these scopes."""
    token = gitlab.registry.add_user(scopes, groups={7}, is_admin=admin)
    return Creation(Client(gitlab.url, token, sleep=lambda _: None), wanted, machine)


def test_the_scope_create_runner_is_enough(gitlab: GitLab) -> None:
    """The runner has what was asked for, and a mark that names this host."""
    made = creation(gitlab, "create_runner")

    made.check()
    created = made.create()

    row = gitlab.registry.rows[created.id]
    assert (row.token, row.group_id, row.tag_list) == (created.token, 7, ("docker", "arm"))
    assert (row.description, row.run_untagged) == ("builder-1", False)
    assert "0123" in row.maintenance_note
    assert created.token not in repr(created)


@pytest.mark.parametrize("tags", [(), ("docker",)])
def test_who_takes_jobs_without_tags(gitlab: GitLab, tags: tuple[str, ...]) -> None:
    """A runner without tags does, one with tags only if that is asked for."""
    made = creation(gitlab, "create_runner", wanted=GROUP._replace(tags=tags, untagged=bool(tags)))

    created = made.create()

    assert gitlab.registry.rows[created.id].run_untagged


def test_a_token_without_the_scope_is_refused_before_anything_happens(gitlab: GitLab) -> None:
    """The sentence has the scopes that there are, and the one that is missing."""
    with pytest.raises(GitLabFailed, match=r"has the scopes read_api: .* needs `create_runner`"):
        creation(gitlab, "read_api").check()


def test_a_group_by_its_path(gitlab: GitLab) -> None:
    """A token that may read finds its number; for another, the sentence asks for that."""
    wanted = GROUP._replace(place="platform/builders")
    made = creation(gitlab, "create_runner", "read_api", wanted=wanted)
    made.check()

    assert gitlab.registry.rows[made.create().id].group_id == 7
    with pytest.raises(GitLabFailed, match="Or give the group's number"):
        creation(gitlab, "create_runner", wanted=wanted).check()
    with pytest.raises(GitLabFailed, match="/groups/no%2Fsuch"):
        creation(gitlab, "api", wanted=GROUP._replace(place="no/such")).check()


def test_a_user_without_the_role(gitlab: GitLab) -> None:
    """The sentence has the role and the place."""
    made = creation(gitlab, "create_runner", wanted=GROUP._replace(place="8"))

    with pytest.raises(GitLabFailed, match="the role Owner in the group 8"):
        made.create()


def test_a_runner_for_the_instance(gitlab: GitLab) -> None:
    """An administrator creates it, and nobody else."""
    wanted = Wanted("all", "instance_type")
    created = creation(gitlab, "create_runner", wanted=wanted, admin=True).create()

    assert gitlab.registry.rows[created.id].runner_type == "instance_type"
    with pytest.raises(GitLabFailed, match="an administrator of GitLab"):
        creation(gitlab, "create_runner", wanted=wanted).create()


def test_a_runner_that_a_killed_call_created_is_not_created_twice(gitlab: GitLab) -> None:
    """A token that may read sees it; one of another host or another name is no reason."""
    first = creation(gitlab, "api").create()
    again = creation(gitlab, "api")

    with pytest.raises(GitLabFailed, match=rf"already \(number {first.id}\)"):
        again.check()
    creation(gitlab, "api", machine="4567").check()
    creation(gitlab, "api", wanted=GROUP._replace(name="builder-2")).check()
    creation(gitlab, "create_runner").check()


def test_a_list_that_the_user_may_not_see_is_no_reason(gitlab: GitLab) -> None:
    """GitLab lists the runners of a group to some roles only."""
    gitlab.mood = moods.only_for(
        "GET",
        "/groups/7/runners",
        lambda _: gitlab_answer(HTTPStatus.FORBIDDEN),
    )

    creation(gitlab, "api").check()


def test_a_list_that_fails_is_a_reason(gitlab: GitLab) -> None:
    """No listing is no proof that nothing is there."""
    broken = moods.broken(HTTPStatus.BAD_GATEWAY)
    gitlab.mood = moods.only_for("GET", "/groups/7/runners", broken)

    with pytest.raises(GitLabFailed, match="HTTP 502"):
        creation(gitlab, "api").check()


def test_an_answer_that_does_not_come(gitlab: GitLab) -> None:
    """Nobody knows whether the runner was created: the sentence says so."""
    gitlab.mood = moods.only_for("POST", "/user/runners", moods.refusing)

    with pytest.raises(GitLabFailed, match="Perhaps the runner 'builder-1' was created"):
        creation(gitlab, "create_runner").create()


def test_a_runner_is_deleted_by_its_own_token(gitlab: GitLab) -> None:
    """Nobody else's token is needed; what goes wrong is a sentence without the token."""
    created = creation(gitlab, "create_runner").create()

    assert delete(gitlab.url, created.token) == ""
    assert created.id not in gitlab.registry.rows
    wrong = delete(gitlab.url, created.token)
    assert "refuses" in wrong
    assert created.token not in wrong


def test_a_gitlab_that_does_not_tell_scopes(gitlab: GitLab) -> None:
    """An older one has no such route: it decides itself."""
    gitlab.mood = moods.only_for(
        "GET", "/personal_access_tokens/self", lambda _: gitlab_answer(HTTPStatus.NOT_FOUND)
    )

    made = creation(gitlab, "create_runner")
    made.check()

    assert made.create().id in gitlab.registry.rows


def gitlab_answer(status: HTTPStatus) -> Answer:
    """Return a refusal in GitLab's form."""
    return Answer(status, b'{"message": "no"}', {"Content-Type": "application/json"})


def test_what_tells_hosts_apart(tmp_path: Path) -> None:
    """It follows from the machine id, and nobody learns that from it."""
    for name, text in (("a", "11" * 16), ("b", "22" * 16)):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc" / "machine-id").write_text(f"{text}\n")

    first, second = (this_machine(tmp_path / name) for name in ("a", "b"))

    assert first != second
    assert "1111" not in first
    assert this_machine(tmp_path / "c") == "without a machine id"
