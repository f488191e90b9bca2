"""`dind-executor fleet reconcile`: shows ghosts, and ends them where that is wanted."""

import time

from executor.commands.fleet.ending import Ending, checked
from executor.commands.fleet.ghosts import Ghost, find_ghosts, silent_hosts
from executor.commands.fleet.journal import Journal
from executor.commands.fleet.listing import read_fleet
from executor.commands.fleet.options import Options
from executor.commands.fleet.progress import progress, remark
from executor.commands.fleet.report import (
    DONE,
    FOUND,
    PARTIAL,
    failure_line,
    ghost_line,
    ghosts_sum,
    retried_line,
)
from executor.commands.fleet.rows import Fleet
from executor.commands.gitlab.client import Client
from executor.log import say


def reconcile(options: Options, clients: list[Client]) -> int:
    """Show the ghosts, and end them with --yes; return an exit code.

    Raises GitLabFailed, JournalFailed and TooMany.
    """
    if options.yes:
        with Journal(options.audit_log) as journal:
            return _ended(options, clients, Ending(clients[0], journal, retry=options.retry))
    _, found, failures = _found(options, clients)
    for each in found:
        say(ghost_line(each, None, json_lines=options.json))
    _tell(options, failures, ghosts_sum(found, are_ended=False))
    return PARTIAL if failures else FOUND if found else DONE


def _ended(options: Options, clients: list[Client], ending: Ending) -> int:
    failures = ending.settle()
    fleet, found, more = _found(options, clients)
    failures += more
    checked(found, fleet, options.silent, options.share)
    if found:
        seconds = options.second_look
        remark(options, f"{len(found)} found. Their hosts are looked at again in {seconds:.0f} s.")
        time.sleep(seconds)
    known = {each.job: each for each in found}
    for ended in ending.end(found):
        ghost = known.get(ended.job)
        if ghost:
            say(ghost_line(ghost, ended, json_lines=options.json))
        else:
            say(retried_line(ended, json_lines=options.json))
        if ended.failure:
            failures.append(ended.failure)
    _tell(options, failures, ghosts_sum(found, are_ended=True))
    return PARTIAL if failures else DONE


def _found(options: Options, clients: list[Client]) -> tuple[Fleet, list[Ghost], list[str]]:
    fleet = read_fleet(clients, options.place, progress(options))
    found, failures = find_ghosts(clients, silent_hosts(fleet, options.silent))
    if any(each.managers and each.seen is None for each in fleet.runners):
        failures.append(
            f"GitLab at {options.url} does not say what time it is: nobody knows which hosts are silent."
        )
    return fleet, found, [*failures, *fleet.failures]


def _tell(options: Options, failures: list[str], text: str) -> None:
    for each in failures:
        say(failure_line(each, json_lines=options.json))
    if not options.json:
        say(text)
