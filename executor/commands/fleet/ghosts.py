"""Jobs that GitLab believes to run on hosts that do not call any more.

By GitLab's word alone: its clock says for how long a host has been silent.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Manager, Runner, moment
from executor.commands.fleet.together import together
from executor.commands.gitlab.client import Client, GitLabFailed, Need

READ = Need("read_api", "sees the projects of its jobs")
RUNNING, CANCELING = "running", "canceling"
_BAD_REQUEST, _NOT_FOUND = 400, 404
_LATE_SECONDS = 60.0
"""A host that gets a job has just called; by more than this, GitLab has forgotten its last calls."""


class Ghost(NamedTuple):
    """A job that runs in GitLab alone."""

    job: int
    project: int
    url: str
    runner: Runner
    host: Manager
    silent: float
    """For how many seconds its host has not called."""
    status: str = RUNNING
    """`running`, or `canceling` where somebody has cancelled it: GitLab waits for the host then too."""

    @property
    def system_id(self) -> str:
        """Return the name of its host."""
        return self.host.system_id


def silent_hosts(fleet: Fleet, seconds: float) -> tuple[tuple[Runner, Manager], ...]:
    """Return the hosts that have not called for so long.  Pure.

    A host with a job calls every few seconds, also where it takes no more jobs.  Nobody knows of a
    runner whose GitLab does not say what time it is.
    """
    return tuple(
        (runner, each)
        for runner in fleet.runners
        for each in runner.managers
        if each.contacted is not None
        and runner.seen is not None
        and runner.seen - each.contacted > seconds
    )


def find_ghosts(
    clients: Sequence[Client], hosts: Sequence[tuple[Runner, Manager]]
) -> tuple[list[Ghost], list[str]]:
    """Return the ghosts of hosts, and a sentence for each thing that GitLab does not tell."""
    looks = together(clients, hosts, lambda client, each: _look(client, *each))
    found = [ghost for ghosts, _ in looks for ghost in ghosts]
    return found, [failure for _, failures in looks for failure in failures]


def _look(client: Client, runner: Runner, host: Manager) -> tuple[list[Ghost], list[str]]:
    failures: list[str] = []
    try:
        ghosts = list(_of_host(client, runner, host, failures))
        # One that calls again reports its jobs again.
        if ghosts and is_as_silent(client, runner, host):
            return ghosts, failures
    except GitLabFailed as error:
        failures.append(f"Runner {runner.id}, host {host.system_id}: {error}")
    return [], failures


def is_as_silent(client: Client, runner: Runner, host: Manager) -> bool:
    """Tell whether a host has not called since it was looked at; raises GitLabFailed."""
    again = read_one(client, runner.id)
    return again is not None and any(
        (each.system_id, each.contacted) == (host.system_id, host.contacted)
        for each in again.managers
    )


def job_path(project: int, job: int) -> str:
    """Return where the API has a job."""
    return f"/projects/{project}/jobs/{job}"


def details(client: Client, project: int, job: int) -> Mapping[str, object] | None:
    """Return what GitLab says of a job, None where it is not there any more.

    Raises GitLabFailed.
    """
    try:
        told = client.get(job_path(project, job), READ)
    except GitLabFailed as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    if not isinstance(told, Mapping) or told.get("id") != job:
        raise GitLabFailed(f"GitLab at {client.url} answers with something that is not job {job}.")
    return told


def status_on(told: Mapping[str, object], host: Manager) -> str:
    """Return the status of a job that is not over on a host, "" where it is; raises GitLabFailed."""
    status = told.get("status")
    if status not in (RUNNING, CANCELING):
        return ""
    number = told.get("id")
    manager = told.get("runner_manager")
    where = manager.get("system_id") if isinstance(manager, Mapping) else None
    if where is None:
        raise GitLabFailed(f"GitLab does not say on which host job {number} runs.")
    if where != host.system_id:
        return ""
    started = moment(told.get("started_at"))
    if started is None or started > (host.contacted or 0.0) + _LATE_SECONDS:
        raise GitLabFailed(
            f"Job {number} has begun after the last call of its host that GitLab knows of: nobody"
            " knows whether the host is gone."
        )
    return str(status)


def _of_host(client: Client, runner: Runner, host: Manager, failures: list[str]) -> Iterator[Ghost]:
    silent = (runner.seen or 0.0) - (host.contacted or 0.0)
    for number, project in _listed(client, runner, host):
        try:
            told = details(client, project, number)
            if told is not None and (status := status_on(told, host)):
                url = told.get("web_url")
                text = url if isinstance(url, str) else ""
                yield Ghost(number, project, text, runner, host, silent, status)
        except GitLabFailed as error:
            failures.append(f"Runner {runner.id}, host {host.system_id}: {error}")


def _listed(client: Client, runner: Runner, host: Manager) -> Iterator[tuple[int, int]]:
    """Yield the jobs that GitLab lists for a host, with their projects; the list has no hosts."""
    query = {"system_id": host.system_id, "pagination": "keyset", "order_by": "id"}
    for status in (RUNNING, CANCELING):
        try:
            jobs = list(client.pages(f"/runners/{runner.id}/jobs", READ, status=status, **query))
        except GitLabFailed as error:
            # Before 17.0 nothing is `canceling`.
            if status != CANCELING or error.status != _BAD_REQUEST:
                raise
            return
        for each in jobs:
            told = each if isinstance(each, Mapping) else {}
            project = told.get("project")
            number = told.get("id")
            place = project.get("id") if isinstance(project, Mapping) else None
            if not isinstance(number, int) or not isinstance(place, int):
                raise GitLabFailed("GitLab does not say of which project a job is.")
            yield number, place
