"""Jobs that run in GitLab alone."""

import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.fleet.ghosts import find_ghosts, silent_hosts
from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.gitlab.client import Client
from tests.gitlab import moods, registry, server
from tests.gitlab.registry import RunnerRow
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

OLD = "2026-01-01T00:00:00Z"


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        yield gitlab


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    row = gitlab.registry.add({})
    for name in ("s_1", "s_2"):
        row.managers[name] = registry.Manager(1, name, {}, OLD)
    gitlab.take(gitlab.enqueue(payload(gitlab.url)), "s_1")
    return row


def found(gitlab: GitLab, row: RunnerRow) -> tuple[list[tuple[int, str]], list[str]]:
    """Return the ghosts, and what could not be asked about."""
    client = Client(gitlab.url, gitlab.administrators_token, sleep=lambda _: None)
    runner = read_one(client, row.id)
    assert runner is not None
    now = time.time()
    ghosts, failures = find_ghosts(client, silent_hosts(Fleet((runner,)), now, 900), now)
    return [(each.job, each.system_id) for each in ghosts], failures


def test_silent_hosts() -> None:
    """One of which GitLab does not say when it called is not silent."""
    silent, calling, unknown = (Manager(str(at), contacted=at) for at in (100.0, 900.0, None))
    runner = Runner(1, managers=(silent, calling, unknown))

    assert silent_hosts(Fleet((runner,)), 1100.0, 900.0) == ((runner, silent),)


def test_a_job_of_a_silent_host(gitlab: GitLab, row: RunnerRow) -> None:
    """It is named once, with its own host."""
    (job,) = gitlab.jobs()

    assert found(gitlab, row) == ([(job.id, "s_1")], [])


def test_a_host_that_calls_again_has_no_ghosts(gitlab: GitLab, row: RunnerRow) -> None:
    """It called between the list and the look at its jobs."""

    def calling(request: Request) -> None:
        if request.path.endswith("/jobs"):
            row.managers["s_1"].contacted_at = "2026-01-02T00:00:00Z"

    gitlab.mood = calling

    assert found(gitlab, row) == ([], [])


def test_a_gitlab_that_lists_the_jobs_of_all_hosts(gitlab: GitLab, row: RunnerRow) -> None:
    """Nobody knows then whose they are, and no job is called a ghost."""
    body = json.dumps([{"id": 5, "status": "running"}]).encode()
    answer = Answer(HTTPStatus.OK, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("GET", "/jobs", lambda _: answer)

    ghosts, failures = found(gitlab, row)

    assert ghosts == []
    assert [each.partition(":")[0] for each in failures] == [
        f"Runner {row.id}, host s_1",
        f"Runner {row.id}, host s_2",
    ]


def test_a_list_that_fails_is_no_list(gitlab: GitLab, row: RunnerRow) -> None:
    """The host is named, and nothing is concluded from silence."""
    gitlab.mood = moods.only_for("GET", "/jobs", moods.broken(HTTPStatus.BAD_GATEWAY))

    ghosts, failures = found(gitlab, row)

    assert (ghosts, len(failures)) == ([], 2)
