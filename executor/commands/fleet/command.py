"""`dind-executor fleet`: looks at all runners of a GitLab."""

import os
import sys
import time
from collections.abc import MutableMapping

from executor.commands.fleet.listing import read_fleet
from executor.commands.fleet.options import Options, WrongUse, read_options, users_token
from executor.commands.fleet.report import PARTIAL, USAGE, as_json, as_table, exit_code
from executor.commands.fleet.rules import audit
from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.gitlab.tokens import UnusableToken
from executor.log import complain, say


def main(args: list[str]) -> int:
    """Look, and say what is found; return an exit code.

    0: nothing is wrong. 1: something is. 2: called wrongly. 3: GitLab did not tell all of it.
    """
    return run(args, os.environ)


def run(args: list[str], environ: MutableMapping[str, str]) -> int:
    """Do what `main` does, with an environment, which the token leaves."""
    try:
        options = read_options(args, environ)
        token = users_token(options, environ)
    except (WrongUse, UnusableToken) as error:
        text = str(error)
        complain(f"dind-executor fleet: {text[:1].upper()}{text[1:]}")
        return USAGE
    named = f"the token in {options.token_file}" if options.token_file else "the token"
    clients = [Client(options.url, token, named) for _ in range(options.clients)]
    try:
        return _audit(options, clients)
    except GitLabFailed as error:
        complain(f"dind-executor fleet: {error}")
        return PARTIAL


def _audit(options: Options, clients: list[Client]) -> int:
    fleet = read_fleet(clients, options.place, _progress(options))
    findings = audit(fleet, time.time())
    for line in (as_json if options.json else as_table)(findings, fleet):
        say(line)
    return exit_code(findings, fleet)


class _Bar:
    """Shows on a terminal how far it is, and leaves nothing there at the end."""

    def __call__(self, done: int, all_of_them: int) -> None:
        text = f"Read {done} of {all_of_them} runners" if done < all_of_them else ""
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _progress(options: Options) -> "_Bar | _Silence":
    return _Bar() if not options.json and sys.stderr.isatty() else _Silence()


class _Silence:
    def __call__(self, done: int, all_of_them: int) -> None:
        """Say nothing: nobody watches."""
