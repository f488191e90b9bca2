"""Jobs that GitLab believes to run on hosts that do not call any more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.gitlab.client import Client, GitLabFailed, Need

_READ = Need("read_api", "sees the projects of its jobs")


class Ghost(NamedTuple):
    """A job that runs in GitLab alone."""

    job: int
    url: str
    runner: Runner
    system_id: str
    silent: float
    """For how many seconds its host has not called."""


def silent_hosts(fleet: Fleet, now: float, seconds: float) -> tuple[tuple[Runner, Manager], ...]:
    """Return the hosts that have not called for so long.  Pure.

    A host with a job calls every few seconds, also where it takes no more jobs.
    """
    return tuple(
        (runner, each)
        for runner in fleet.runners
        for each in runner.managers
        if each.contacted is not None and now - each.contacted > seconds
    )


def find_ghosts(
    client: Client, hosts: Sequence[tuple[Runner, Manager]], now: float
) -> tuple[list[Ghost], list[str]]:
    """Return the ghosts of hosts, and a sentence for each host that could not be asked about."""
    found: list[Ghost] = []
    failures: list[str] = []
    for runner, host in hosts:
        try:
            ghosts = list(_of_host(client, runner, host, now))
            # One that calls again reports its jobs again.
            if ghosts and _is_as_silent(client, runner, host):
                found += ghosts
        except GitLabFailed as error:
            failures.append(f"Runner {runner.id}, host {host.system_id}: {error}")
    return found, failures


def _of_host(client: Client, runner: Runner, host: Manager, now: float) -> Iterator[Ghost]:
    query = {"status": "running", "system_id": host.system_id}
    query |= {"pagination": "keyset", "order_by": "id"}
    for each in client.pages(f"/runners/{runner.id}/jobs", _READ, **query):
        told = each if isinstance(each, Mapping) else {}
        number, url = told.get("id"), told.get("web_url")
        manager = told.get("runner_manager")
        where = manager.get("system_id") if isinstance(manager, Mapping) else None
        if not isinstance(number, int) or (where is None and len(runner.managers) > 1):
            # An old GitLab leaves out what it does not know, and lists the jobs of all hosts.
            raise GitLabFailed("GitLab does not say on which host a job runs.")
        if where in (None, host.system_id):
            silent = now - (host.contacted or now)
            text = url if isinstance(url, str) else ""
            yield Ghost(number, text, runner, host.system_id, silent)


def _is_as_silent(client: Client, runner: Runner, host: Manager) -> bool:
    again = read_one(client, runner.id)
    return again is not None and host in [
        each._replace(is_busy=host.is_busy) for each in again.managers
    ]
