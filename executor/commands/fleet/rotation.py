"""Gives a runner another token, and this host with it: what a kill leaves is taken up.

GitLab makes the new token and ends the old one in one step, and tells the new one once.  So between
its answer and the file, a kill loses the token: a user's token can have another one made.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from executor.commands.fleet.entry import Entry, left_token, others, put, try_out
from executor.commands.fleet.host import HostFailed
from executor.commands.fleet.journal import DONE, FAILED, Change, Journal
from executor.commands.fleet.rows import LEGACY, Manager, Runner, read_runner
from executor.commands.fleet.rules import SILENT_SECONDS
from executor.commands.gitlab.client import Client, GitLabFailed
from executor.commands.gitlab.runner_tokens import WRITE, Owner, reset, whose
from executor.commands.register.config_file import ConfigFile
from executor.log import complain

ROTATE, ADOPT = "rotate", "adopt"
_LOOK_SECONDS = 2.0
_FRESH_SECONDS = 600.0
"""For how long a token is not rotated again: the same call again is no other one."""


class Known(NamedTuple):
    """The runner of a token, and who works for it."""

    number: int
    others: tuple[str, ...]
    """The other hosts that call with its token."""


class Rotation:
    """The runner of this host, and its GitLab."""

    def __init__(self, client: Client, file: ConfigFile, entry: Entry) -> None:
        """Take a client whose token has the scope, and config.toml, which is held."""
        self._client, self._file, self._entry = client, file, entry

    def number(self, named: int | None = None) -> int | None:
        """Return the number of the runner, None where its token does not count.

        Raises HostFailed where that is not the one that is `named`, and GitLabFailed.
        """
        owner = self.owner(self._entry.token)
        if owner and named not in (None, owner.number):
            raise HostFailed(f"The token of {self._entry.name!r} is that of runner {owner.number}.")
        return owner.number if owner else None

    def checked(self, named: int | None) -> int:
        """Return the number that is `named` for a runner whose token is dead; raises as `check_free`."""
        if named is None:
            raise HostFailed(
                f"GitLab does not know the token of {self._entry.name!r} any more. If another host has"
                " had it replaced, give the new one with --new-token-file; else name the runner's number"
                " with --runner, and it gets another one."
            )
        self.check_free(named)
        return named

    def owner(self, token: str) -> Owner | None:
        """Return the runner of a token, None where it does not count; raises GitLabFailed."""
        return whose(self._client.url, token, self._entry.system_id)

    def known(self, number: int) -> Known:
        """Return who works for a runner.

        Raises HostFailed where this host does not, and GitLabFailed.
        """
        runner = self._runner(number)
        mine = [each for each in runner.managers if each.system_id == self._entry.system_id]
        # To ask whose a token is makes a host known, but only gitlab-runner says its version.
        if not any(each.version for each in mine):
            raise HostFailed(
                f"This host has never called for runner {number}: start gitlab-runner with this"
                " config.toml first, or check the number."
            )
        others = [
            each.system_id
            for each in runner.managers
            if each not in mine and each.system_id != LEGACY and _calls(each, runner.seen)
        ]
        return Known(number, tuple(others))

    def check_free(self, number: int) -> None:
        """Raise HostFailed where config.toml has a runner under another name; or GitLabFailed."""
        for each in others(self._file, self._entry):
            owner = self.owner(each.token)
            if owner and owner.number == number:
                raise HostFailed(
                    f"Runner {number} is {each.name!r} in {self._file.path}, and not {self._entry.name!r}."
                )

    def taken_up(self, journal: Journal, named: int | None) -> tuple[int, bool]:
        """Return the number of the runner, and whether what was begun is done with that.

        `named` is the number that the administrator gives where nobody else knows it.  Raises
        HostFailed, GitLabFailed and JournalFailed.
        """
        number, begun = self.number(named), self._begun(journal)
        if number is not None:
            if begun is None or begun.target != self.target(number):
                return number, self._is_fresh(journal, number)
            is_old = journal.before(begun).get("token") == _mark(self._entry.token)
            journal.settle(begun, FAILED if is_old else DONE, "as config.toml and GitLab show it")
            return number, not is_old
        left = left_token(self._file, self._entry)
        owner = self.owner(left) if left else None
        if owner and named in (None, owner.number):
            put(self._file, self._entry, left, owner.expires, ROTATE)
            if begun:
                journal.settle(begun, DONE, "the new token lay beside config.toml")
            return owner.number, True
        if begun:
            journal.settle(begun, DONE, "the new token was lost with the command: it needs another")
            return int(begun.target.rpartition("/")[2]), False
        return self.checked(named), False

    def rotate(self, journal: Journal, number: int) -> float | None:
        """Have another token; return what the time was for GitLab then.

        Raises HostFailed, GitLabFailed, JournalFailed, and what `held` makes sentences of.
        """
        try_out(self._file, self._entry)
        with journal.changing(ROTATE, self.target(number), self._before(), {"token": "another"}):
            another = reset(self._client, number)
            at = self._client.now
            try:
                put(self._file, self._entry, another.token, another.expires, ROTATE)
            except BaseException:
                complain(
                    f"dind-executor fleet: The old token of runner {number} counts no more, and"
                    f" {self._file.path} has not got the new one. Correct what the next sentence says:"
                    " then the same call again puts it there, or has another one made."
                )
                raise
        return at

    def adopt(self, journal: Journal, owner: Owner, token: str) -> None:
        """Have the token that another host's command has had made; raises as `rotate` does."""
        target, after = self.target(owner.number), {"token": _mark(token)}
        with journal.changing(ADOPT, target, self._before(), after):
            put(self._file, self._entry, token, owner.expires, ADOPT)

    def has_called(
        self,
        number: int,
        since: float,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> bool:
        """Wait until this host has called since, by GitLab's clock; tell whether it has in time.

        Raises GitLabFailed.
        """
        end = clock() + seconds
        while True:
            for each in self._runner(number).managers:
                if each.system_id == self._entry.system_id and (each.contacted or 0.0) > since:
                    return True
            if clock() >= end:
                return False
            sleep(_LOOK_SECONDS)

    def target(self, number: int) -> str:
        """Return what the log calls a runner."""
        return f"{self._client.url}/runners/{number}"

    def _begun(self, journal: Journal) -> Change | None:
        """Return the rotation of this host's runner that was cut off."""
        mine = self._before()
        mine.pop("token")
        start = self.target(0).removesuffix("0")
        for change in journal.unsettled():
            before = journal.before(change)
            is_mine = all(before.get(key) == value for key, value in mine.items())
            is_here = change.target.startswith(start) and change.target[len(start) :].isdecimal()
            if change.action == ROTATE and is_mine and is_here:
                return change
        return None

    def _is_fresh(self, journal: Journal, number: int) -> bool:
        """Tell whether a call that was killed before its last word has just done all of it."""
        last = journal.last(self.target(number), ROTATE, ADOPT)
        if last is None or (last.action, last.state) != (ROTATE, DONE):
            return False
        before, now = dict(journal.before(last)), self._before()
        is_new = before.pop("token", None) != now.pop("token")
        return is_new and before == now and 0 <= time.time() - last.begun < _FRESH_SECONDS

    def _before(self) -> dict[str, object]:
        host = {"host": os.uname().nodename, "config": str(self._file.path)}
        return {**host, "name": self._entry.name, "token": _mark(self._entry.token)}

    def _runner(self, number: int) -> Runner:
        managers = list(self._client.pages(f"/runners/{number}/managers", WRITE))
        details: Mapping[str, object] = {"id": number}
        runner = read_runner(details, managers, self._client.now)
        if runner is None:
            raise GitLabFailed("GitLab answers with something that is not a runner.")
        return runner


def _calls(host: Manager, now: float | None) -> bool:
    return (
        host.is_busy
        or now is None
        or (host.contacted is not None and now - host.contacted <= SILENT_SECONDS)
    )


def _mark(token: str) -> str:
    """Return what tells a token from others, and tells nobody what it is."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]
