"""Pauses a runner in GitLab, and resumes it: with it, all hosts that share its token."""

from collections.abc import Mapping, Sequence

from executor.commands.fleet.journal import DONE, FAILED, Journal
from executor.commands.fleet.listing import read_one
from executor.commands.fleet.rows import Runner
from executor.commands.gitlab.client import Client, GitLabFailed, Need

_TOO_MANY = 429
DRAIN, UNDRAIN = "drain", "undrain"
WRITE = Need("manage_runner", "has to be its owner, or an administrator")
_READ = Need("read_api")


class NotOurs(Exception):
    """Something is as it is by another's will; the text says so."""


class Pausing:
    """One runner in one GitLab."""

    def __init__(self, client: Client, number: int) -> None:
        """Take a client whose token has the scopes; nothing is asked yet."""
        self._client, self._number = client, number
        self.target = f"{client.url}/runners/{number}"

    def runner(self) -> Runner:
        """Return the runner; raises GitLabFailed."""
        runner = read_one(self._client, self._number)
        if runner is None:
            raise GitLabFailed(f"There is no runner {self._number} that the token sees.", 404)
        return runner

    def jobs(self) -> list[str]:
        """Return the jobs that run on its hosts, by number; raises GitLabFailed."""
        path = f"/runners/{self._number}/jobs"
        query = {"status": "running", "pagination": "keyset", "order_by": "id"}
        return [
            str(each.get("id"))
            for each in self._client.pages(path, _READ, **query)
            if isinstance(each, Mapping)
        ]

    def left(self) -> Sequence[str] | None:
        """Return the jobs that are left, None where none is; raises GitLabFailed.

        Where GitLab is away for a while, nobody knows which are left, and not that none is.
        """
        try:
            return self.jobs() or None
        except GitLabFailed as error:
            if error.may_be_done or error.status == _TOO_MANY:
                return []
            raise

    def pause(self, journal: Journal) -> bool:
        """Pause it; return whether this command has, now or before.  Raises GitLabFailed."""
        runner, last = self._look(journal)
        if runner.paused:
            return last == DRAIN
        self._put(journal, DRAIN, paused=True)
        return True

    def resume(self, journal: Journal) -> bool:
        """Resume it; return False where it takes jobs already.

        Raises NotOurs where another has paused it, and GitLabFailed.
        """
        runner, last = self._look(journal)
        if not runner.paused:
            return False
        if last != DRAIN:
            raise NotOurs(
                f"Runner {self._number} was not paused by this command, as its log says: whoever"
                " paused it had a reason. Resume it in GitLab."
            )
        self._put(journal, UNDRAIN, paused=False)
        return True

    def _look(self, journal: Journal) -> tuple[Runner, str]:
        """Return the runner, and what this command did with it last.

        A change that was cut off is looked for in GitLab, and not made twice.
        """
        runner = self.runner()
        last = journal.last(self.target, DRAIN, UNDRAIN)
        if last and last.is_open:
            made = runner.paused == (last.action == DRAIN)
            journal.settle(last, DONE if made else FAILED, "as GitLab shows it now")
            last = journal.last(self.target, DRAIN, UNDRAIN)
        return runner, last.action if last else ""

    def _put(self, journal: Journal, action: str, *, paused: bool) -> None:
        before, after = {"paused": not paused}, {"paused": paused}
        with journal.changing(action, self.target, before, after):
            self._client.put(f"/runners/{self._number}", WRITE, after)
