"""`dind-executor fleet`: looks at all runners of a GitLab, and changes some."""

import os
import time
from collections.abc import Callable, MutableMapping

from executor.commands.fleet.arguments import VARIABLE, WrongUse
from executor.commands.fleet.draining import drain
from executor.commands.fleet.fitness import problems
from executor.commands.fleet.host import HostFailed
from executor.commands.fleet.journal import Journal, JournalFailed
from executor.commands.fleet.listing import read_fleet
from executor.commands.fleet.options import Options, read_options, users_token
from executor.commands.fleet.pausing import NotOurs, Pausing
from executor.commands.fleet.progress import progress
from executor.commands.fleet.reconciling import reconcile
from executor.commands.fleet.report import (
    DONE,
    FOUND,
    PARTIAL,
    USAGE,
    as_json,
    as_table,
    exit_code,
    readable,
    stale_lines,
)
from executor.commands.fleet.rotating import rotate
from executor.commands.fleet.rules import audit
from executor.commands.fleet.scopes import advice
from executor.commands.fleet.stale import TooMany, checked, delete, settle, stale
from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.gitlab.tokens import UnusableToken
from executor.log import complain, say


def main(args: list[str]) -> int:
    """Look, and say what is found; return an exit code.

    0: nothing is wrong, or done. 1: something is wrong, or not done. 2: called wrongly. 3: GitLab did
    not do or tell all of it. 124: jobs are left when the time is over.
    """
    return run(args, os.environ)


def run(args: list[str], environ: MutableMapping[str, str]) -> int:
    """Do what `main` does, with an environment, which the token leaves."""
    try:
        options = read_options(args, environ)
        token = _token(options, environ)
    except (WrongUse, UnusableToken) as error:
        return _wrongly(error)
    return _shielded(lambda: _act(options, token))


def _token(options: Options, environ: MutableMapping[str, str]) -> str:
    """Return the user's token, "" where none is needed; raises WrongUse and UnusableToken."""
    is_by_runner = options.rotating is not None and options.rotating.new_token_file
    if options.needs_gitlab and not is_by_runner:
        return users_token(options, environ)
    environ.pop(VARIABLE, None)  # no program that is started has any use for it
    return ""


def _act(options: Options, token: str) -> int:
    """Do it, and say at the end where less of a token does it too."""
    if options.rotating is not None:
        return rotate(options, options.rotating, token)
    if not options.needs_gitlab:
        return drain(options, problems=problems)
    named = f"the token in {options.token_file}" if options.token_file else "the token"
    clients = [Client(options.url, token, named) for _ in range(options.clients)]
    code = _done(options, clients)
    if text := advice(clients[0], options):
        complain(f"dind-executor fleet: {text}")
    return code


def _done(options: Options, clients: list[Client]) -> int:
    actions = {"audit": _audit, "reconcile": reconcile, "stale": _stale}
    if act := actions.get(options.action):
        return act(options, clients)
    return drain(options, Pausing(clients[0], options.runner or 0))


def _wrongly(error: Exception) -> int:
    text = str(error)
    complain(f"dind-executor fleet: {text[:1].upper()}{text[1:]}")
    return USAGE


def _shielded(act: Callable[[], int]) -> int:
    """Return an exit code, also where something fails."""
    try:
        return act()
    except GitLabFailed as error:
        complain(f"dind-executor fleet: {readable(str(error))}")
        return PARTIAL
    except (HostFailed, NotOurs, JournalFailed, TooMany) as error:
        complain(f"dind-executor fleet: {readable(str(error))}")
        return FOUND
    except UnusableToken as error:
        return _wrongly(error)


def _audit(options: Options, clients: list[Client]) -> int:
    fleet = read_fleet(clients, options.place, progress(options))
    findings = audit(fleet, _now(clients))
    for line in (as_json if options.json else as_table)(findings, fleet):
        say(line)
    return exit_code(findings, fleet)


def _stale(options: Options, clients: list[Client]) -> int:
    if options.yes:
        with Journal(options.audit_log) as journal:
            settle(clients[0], journal)
            return _delete(options, clients, journal)
    return _delete(options, clients, None)


def _delete(options: Options, clients: list[Client], journal: Journal | None) -> int:
    """Delete the stale runners, or show them without a log to note that in."""
    fleet = read_fleet(clients, options.place, progress(options))
    now = _now(clients)
    found = stale(fleet, now, options.older_than)
    chosen = checked(found, fleet, options.share, options.limit)
    done = delete(clients[0], journal, chosen, now, options.older_than) if journal else None
    for line in stale_lines(chosen, done, fleet, json_lines=options.json):
        say(line)
    if fleet.failures or (done and done.failures):
        return PARTIAL
    return FOUND if len(chosen) < len(found) or (chosen and done is None) else DONE


def _now(clients: list[Client]) -> float:
    """Return what the time is for GitLab, which knows when hosts have called; else for this machine."""
    return clients[0].now or time.time()
