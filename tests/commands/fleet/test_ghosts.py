"""Jobs that run in GitLab alone."""

import datetime as dt
import json
from http import HTTPStatus

import pytest

from executor.commands.fleet.ghosts import find_ghosts, silent_hosts
from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.gitlab.client import Client
from tests.gitlab import moods, registry
from tests.gitlab.registry import RunnerRow
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

OLD = "2020-01-01T00:00:00Z"


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    row = gitlab.registry.add({})
    for name in ("s_1", "s_2"):
        row.managers[name] = registry.Manager(1, name, {}, OLD)
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, "s_1")
    job.started_at = OLD
    return row


def found(gitlab: GitLab, row: RunnerRow) -> tuple[list[tuple[int, str]], list[str]]:
    """Return the ghosts, and what could not be asked about."""
    client = Client(gitlab.url, gitlab.administrators_token, sleep=lambda _: None)
    runner = read_one(client, row.id)
    assert runner is not None
    ghosts, failures = find_ghosts([client], silent_hosts(Fleet((runner,)), 900))
    return [(each.job, each.system_id) for each in ghosts], failures


def test_silent_hosts() -> None:
    """One of which GitLab does not say when it called is not silent, nor by another clock."""
    silent, calling, unknown = (Manager(str(at), contacted=at) for at in (100.0, 900.0, None))
    runner = Runner(1, managers=(silent, calling, unknown), seen=1100.0)

    assert silent_hosts(Fleet((runner,)), 900.0) == ((runner, silent),)
    assert silent_hosts(Fleet((runner._replace(seen=None),)), 900.0) == ()


def test_a_job_of_a_silent_host(gitlab: GitLab, row: RunnerRow) -> None:
    """It is named once, with its own host."""
    (job,) = gitlab.jobs()

    assert found(gitlab, row) == ([(job.id, "s_1")], [])


def test_a_host_that_calls_again_has_no_ghosts(gitlab: GitLab, row: RunnerRow) -> None:
    """It called between the list and the look at its jobs."""

    def calling(request: Request) -> None:
        if request.path.endswith("/jobs"):
            row.managers["s_1"].contacted_at = "2020-01-02T00:00:00Z"

    gitlab.mood = calling

    assert found(gitlab, row) == ([], [])


def test_gitlabs_clock_counts(gitlab: GitLab, row: RunnerRow) -> None:
    """It is an hour behind: a host that has called just now is not silent, whatever the time is here."""
    gitlab.registry.clock_offset = -3600.0
    (job,) = gitlab.jobs()
    now = gitlab.registry.now()
    row.managers["s_1"].contacted_at = job.started_at = now.isoformat()

    assert found(gitlab, row) == ([], [])
    row.managers["s_1"].contacted_at = (now - dt.timedelta(minutes=16)).isoformat()
    job.started_at = row.managers["s_1"].contacted_at
    assert found(gitlab, row) == ([(job.id, "s_1")], [])


def test_a_job_that_somebody_has_cancelled(gitlab: GitLab, row: RunnerRow) -> None:
    """GitLab waits for its host, and so it is a ghost too."""
    (job,) = gitlab.jobs()
    job.cancel()

    assert found(gitlab, row) == ([(job.id, "s_1")], [])


def test_a_job_that_has_begun_after_the_last_call(gitlab: GitLab, row: RunnerRow) -> None:
    """Whoever gets a job has called: what GitLab remembers of the host is old, and proves nothing."""
    (job,) = gitlab.jobs()
    job.started_at = "2020-01-01T00:02:00Z"

    ghosts, failures = found(gitlab, row)

    assert ghosts == []
    assert f"Job {job.id} has begun after the last call of its host" in failures[0]


def test_a_gitlab_that_lists_the_jobs_of_all_hosts(gitlab: GitLab, row: RunnerRow) -> None:
    """The job itself says where it runs; where it does not, no job is called a ghost."""
    (job,) = gitlab.jobs()
    job.runner_manager = "s_2"
    body = json.dumps([{"id": job.id, "project": {"id": 3}}]).encode()
    answer = Answer(HTTPStatus.OK, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("GET", "/jobs", lambda _: answer)

    assert set(found(gitlab, row)[0]) == {(job.id, "s_2")}
    job.runner_manager = ""
    ghosts, failures = found(gitlab, row)
    assert ghosts == []
    assert "GitLab does not say on which host" in failures[0]


def test_a_list_that_fails_is_no_list(gitlab: GitLab, row: RunnerRow) -> None:
    """The host is named, and nothing is concluded from silence."""
    gitlab.mood = moods.only_for("GET", "/jobs", moods.broken(HTTPStatus.BAD_GATEWAY))

    ghosts, failures = found(gitlab, row)

    assert (ghosts, len(failures)) == ([], 2)
