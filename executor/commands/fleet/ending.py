"""Ends ghosts in GitLab: cancels them, by force where GitLab waits for their host, and retries them.

A cancelled job whose host can still end is left to it by GitLab; that of a host that is gone is not.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from executor.bounds import whole_number
from executor.commands.fleet.ghosts import (
    CANCELING,
    READ,
    RUNNING,
    Ghost,
    details,
    is_as_silent,
    job_path,
    status_on,
)
from executor.commands.fleet.journal import DONE, FAILED, Change, Journal
from executor.commands.fleet.rows import Fleet
from executor.commands.fleet.stale import TooMany, least_percent
from executor.commands.gitlab.client import Client, GitLabFailed, Need

CANCEL, FORCE, RETRY = "cancel", "force-cancel", "retry"
_WRITE = Need("api", "needs the role Maintainer in the job's project")
_TOO_MANY, _CANCELED = 429, "canceled"
_FORGOTTEN_SECONDS = 86400.0
"""A retry that is missing for so long is not made up for: the pipeline has gone on without it."""


class Ended(NamedTuple):
    """What became of a ghost."""

    job: int
    state: str
    """`ended`, `retried`, `spared` or `failed`."""
    again: int = 0
    """The job in its place."""
    failure: str = ""


def checked(found: Sequence[Ghost], fleet: Fleet, seconds: float, share: float) -> None:
    """Raise TooMany where so many hosts are silent that something else must be wrong.  Pure.

    Hosts that are silent without jobs do not count: they come and go.
    """
    dead = {(each.runner.id, each.system_id) for each in found}
    calling = sum(
        runner.seen is not None
        and host.contacted is not None
        and runner.seen - host.contacted <= seconds
        for runner in fleet.runners
        for host in runner.managers
    )
    least = least_percent(len(dead), len(dead) + calling)
    if least > round(100 * share):
        raise TooMany(
            f"{len(dead)} of {len(dead) + calling} hosts are silent with jobs, more than --max-share"
            f" {share:.0%}: perhaps GitLab was away, or a network is. Nothing is ended. If they are gone"
            f" for good, `--max-share {least}%` admits so many."
        )


class Ending:
    """Ends ghosts of one GitLab, and notes each step."""

    def __init__(self, client: Client, journal: Journal, *, retry: bool) -> None:
        """Take a client whose token has the scope `api`."""
        self._client, self._journal, self._retry = client, journal, retry

    def end(self, ghosts: Sequence[Ghost]) -> Iterator[Ended]:
        """Yield what became of each, and of those that a call that was killed has left."""
        of_ghosts = {(each.project, each.job): each for each in ghosts}
        not_retried = self._not_retried() if self._retry else ()
        left = list(dict.fromkeys((*of_ghosts, *not_retried)))
        for number, (project, job) in enumerate(left):
            try:
                ghost = of_ghosts.get((project, job))
                ended = self._end(ghost) if ghost else self._made_up(project, job)
            except GitLabFailed as error:
                yield Ended(job, "failed", failure=f"Job {job}: {error}")
                if error.status == _TOO_MANY:
                    text = "not tried, as GitLab limits how often it is asked."
                    for _, other in left[number + 1 :]:
                        yield Ended(other, "failed", failure=f"Job {other}: {text}")
                    return
            else:
                if ended:
                    yield ended

    def settle(self) -> list[str]:
        """Note what became of steps that were cut off; return what GitLab does not tell."""
        failures: list[str] = []
        for change in self._journal.unsettled():
            if change.action not in (CANCEL, FORCE, RETRY) or not (at := self._place(change)):
                continue
            try:
                state = DONE if self._is_made(change, *at) else FAILED
            except GitLabFailed as error:
                failures.append(f"Job {at[1]}: {error}")
            else:
                self._journal.settle(change, state, "as GitLab shows it now")
        return failures

    def _end(self, ghost: Ghost) -> Ended:
        told = details(self._client, ghost.project, ghost.job)
        status = status_on(told, ghost.host) if told else ""
        if not status or not is_as_silent(self._client, ghost.runner, ghost.host):
            return Ended(ghost.job, "spared")
        if status == RUNNING:
            status = self._cancelled(ghost, CANCEL, status, {})
        if status == CANCELING:
            status = self._cancelled(ghost, FORCE, status, {"force": True})
        if status in (RUNNING, CANCELING):
            raise GitLabFailed("GitLab waits for its host, and ends it after some time by itself.")
        if self._retry and status == _CANCELED:
            return self._again(ghost.project, ghost.job)
        return Ended(ghost.job, "ended")

    def _cancelled(self, ghost: Ghost, action: str, status: str, data: Mapping[str, object]) -> str:
        """Cancel a job; return its status then."""
        target = self._target(ghost.project, ghost.job)
        before = {"status": status, "runner": ghost.runner.id, "system_id": ghost.system_id}
        after = {"status": _CANCELED, "retry": self._retry}
        path = f"{job_path(ghost.project, ghost.job)}/cancel"
        with self._journal.changing(action, target, before, after):
            told = self._client.post(path, _WRITE, data)
        return str(told.get("status")) if isinstance(told, Mapping) else ""

    def _again(self, project: int, job: int) -> Ended:
        """Have a job take the place of one that is over."""
        path = f"{job_path(project, job)}/retry"
        before, after = {"status": _CANCELED}, {"retried": True}
        with self._journal.changing(RETRY, self._target(project, job), before, after):
            told = self._client.post(path, _WRITE, {})
        number = told.get("id") if isinstance(told, Mapping) else None
        return Ended(job, "retried", number if isinstance(number, int) else 0)

    def _made_up(self, project: int, job: int) -> Ended | None:
        """Retry what a call that was killed has cancelled, None where that is not missing."""
        told = details(self._client, project, job)
        if told and told.get("status") == _CANCELED and not self._is_retried(project, job, told):
            return self._again(project, job)
        return None

    def _not_retried(self) -> Iterator[tuple[int, int]]:
        for last in self._journal.lasts():
            if (
                last.action in (CANCEL, FORCE)
                and self._journal.after(last).get("retry") is True
                and time.time() - last.begun < _FORGOTTEN_SECONDS
                and (at := self._place(last))
            ):
                yield at

    def _is_made(self, change: Change, project: int, job: int) -> bool:
        told = details(self._client, project, job)
        if told is None:
            return change.action != RETRY
        if change.action == RETRY:
            return self._is_retried(project, job, told)
        over_then = (RUNNING,) if change.action == CANCEL else (RUNNING, CANCELING)
        return told.get("status") not in over_then

    def _is_retried(self, project: int, job: int, told: Mapping[str, object]) -> bool:
        """Tell whether another job has taken the place of one: its pipeline shows it no more then."""
        pipeline = told.get("pipeline")
        number = pipeline.get("id") if isinstance(pipeline, Mapping) else None
        if not isinstance(number, int):
            raise GitLabFailed(f"GitLab does not say of which pipeline job {job} is.")
        path = f"/projects/{project}/pipelines/{number}/jobs"
        jobs = list(self._client.pages(path, READ))
        return all(not isinstance(each, Mapping) or each.get("id") != job for each in jobs)

    def _target(self, project: int, job: int) -> str:
        return f"{self._client.url}{job_path(project, job)}"

    def _place(self, change: Change) -> tuple[int, int] | None:
        """Return the project and the number of a job of this GitLab."""
        start = f"{self._client.url}/projects/"
        if change.target.startswith(start):
            project, _, job = change.target.removeprefix(start).partition("/jobs/")
            numbers = whole_number(project), whole_number(job)
            if numbers[0] is not None and numbers[1] is not None:
                return numbers[0], numbers[1]
        return None
