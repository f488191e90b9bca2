"""Deletes the runners that no host has called for in a long time; few at once, and each looked at twice."""

from collections.abc import Sequence
from typing import NamedTuple

from executor.commands.fleet.journal import DONE, FAILED, Journal
from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Fleet, Runner
from executor.commands.gitlab.client import Client, GitLabFailed, Need

DELETE = "delete"
_NEED = Need("manage_runner", "has to be its owner, or an administrator")


class TooMany(Exception):
    """So much of a fleet is silent that something else is wrong; the text says what was found."""


class Deleted(NamedTuple):
    """What became of runners."""

    gone: tuple[Runner, ...] = ()
    spared: tuple[Runner, ...] = ()
    """They were called for since the list was read."""
    failures: tuple[str, ...] = ()


def stale(fleet: Fleet, now: float, seconds: float) -> tuple[Runner, ...]:
    """Return the runners that nobody has called for in so long.  Pure.

    One that nobody ever called for counts from when it was made, and one of which GitLab does not
    say that is never stale.
    """
    return tuple(each for each in fleet.runners if _is_stale(each, now, seconds))


def checked(found: Sequence[Runner], fleet: Fleet, share: float, limit: int) -> tuple[Runner, ...]:
    """Return those to delete, the longest silent first; raises TooMany.  Pure."""
    least = least_percent(len(found), len(fleet.runners))
    if least > round(100 * share):
        raise TooMany(
            f"{len(found)} of {len(fleet.runners)} runners are silent, more than --max-share"
            f" {share:.0%}: perhaps GitLab was away, or a network is. Nothing is deleted. If they are"
            f" silent for good, `--max-share {least}%` admits so many."
        )
    return tuple(sorted(found, key=_since)[:limit])


def least_percent(part: int, whole: int) -> int:
    """Return the smallest percentage of a whole that admits a part.  Pure."""
    return -(-100 * part // whole) if part else 0


def delete(
    client: Client, journal: Journal, runners: Sequence[Runner], now: float, seconds: float
) -> Deleted:
    """Delete each, unless it was called for meanwhile; raises JournalFailed."""
    gone: list[Runner] = []
    spared: list[Runner] = []
    failures: list[str] = []
    for each in runners:
        try:
            (gone if _delete(client, journal, each, now, seconds) else spared).append(each)
        except GitLabFailed as error:
            failures.append(f"Runner {each.id}: {error}")
    return Deleted(tuple(gone), tuple(spared), tuple(failures))


def settle(client: Client, journal: Journal) -> None:
    """Note what became of deletions that were cut off; raises GitLabFailed."""
    start = f"{client.url}/runners/"
    for change in journal.unsettled():
        number = change.target.removeprefix(start)
        if change.action == DELETE and change.target.startswith(start) and number.isdecimal():
            is_gone = read_one(client, int(number)) is None
            journal.settle(change, DONE if is_gone else FAILED, "as GitLab shows it now")


def _delete(client: Client, journal: Journal, old: Runner, now: float, seconds: float) -> bool:
    runner = read_one(client, old.id)
    if runner is None:
        return True
    if not _is_stale(runner, now, seconds) or runner.last_contact != old.last_contact:
        return False
    before = {"description": runner.description, "kind": runner.kind, "tags": list(runner.tags)}
    target = f"{client.url}/runners/{runner.id}"
    with journal.changing(DELETE, target, before, {}):
        client.delete(f"/runners/{runner.id}", _NEED)
    return True


def _is_stale(runner: Runner, now: float, seconds: float) -> bool:
    since = runner.created if runner.last_contact is None else runner.last_contact
    is_busy = any(each.is_busy for each in runner.managers)
    return since is not None and now - since > seconds and not is_busy


def _since(runner: Runner) -> float:
    return runner.last_contact or runner.created or 0.0
