"""`dind-executor fleet rotate`: gives a runner of this host another token."""

from pathlib import Path

from executor.commands.fleet.entry import Entry, held, read_entry
from executor.commands.fleet.host import HostFailed
from executor.commands.fleet.journal import Journal
from executor.commands.fleet.options import Options, Rotating
from executor.commands.fleet.progress import remark
from executor.commands.fleet.report import DONE, FOUND, PARTIAL, event
from executor.commands.fleet.rotation import Known, Rotation
from executor.commands.fleet.scopes import advice
from executor.commands.gitlab.client import Client
from executor.commands.gitlab.tokens import read_token
from executor.commands.register.config_file import ConfigFile
from executor.log import complain, say

_CALLED_SECONDS = 30.0
"""In how long gitlab-runner has read config.toml again, and called."""


def rotate(options: Options, rotating: Rotating, token: str) -> int:
    """Rotate the token of a runner of this host, or show what that would do; return an exit code.

    Raises GitLabFailed, HostFailed, JournalFailed, and UnusableToken.
    """
    file = ConfigFile(Path(rotating.config))
    with held(file):
        entry = read_entry(file, rotating.name, options.url)
        client = Client(entry.url, token)
        code = _Steps(options, rotating, client, file, entry).take()
    if token and (text := advice(client, options)):
        complain(f"dind-executor fleet: {text}")
    return code


class _Steps:
    """What happens in which order, while nobody else changes config.toml."""

    def __init__(
        self,
        options: Options,
        rotating: Rotating,
        client: Client,
        file: ConfigFile,
        entry: Entry,
    ) -> None:
        self._options, self._rotating = options, rotating
        self._client, self._file, self._entry = client, file, entry
        self._rotation = Rotation(client, file, entry)

    def take(self) -> int:
        """Take them; return an exit code."""
        if self._rotating.new_token_file:
            return self._adopt(read_token(self._rotating.new_token_file))
        if not self._options.yes:
            return self._would()
        with Journal(self._options.audit_log) as journal:
            number, is_done = self._rotation.taken_up(journal, self._options.runner)
            if is_done:
                text = (
                    f"has its new token, which an earlier call has begun with: {self._file.path}."
                )
                return self._tell("rotated", number, text)
            known = self._rotation.known(number)
            self._check(known)
            since = self._rotation.rotate(journal, number)
        text = f"has another token, which {self._file.path} has too."
        self._tell("rotated", number, f"{text}{_left_out(known)}", known.others)
        return self._look(number, since)

    def _would(self) -> int:
        number = self._rotation.number(self._options.runner)
        if number is None:
            number = self._rotation.checked(self._options.runner)
        known = self._rotation.known(number)
        text = f"would get another token, written into {self._file.path}: --yes does.{_left_out(known)}"
        return self._tell("would", number, text, known.others)

    def _check(self, known: Known) -> None:
        """Raise HostFailed where others would lose their token, unless that is wanted."""
        if known.others and not self._rotating.shared:
            raise HostFailed(
                f"Other hosts call with the token of runner {known.number} ({len(known.others)}):"
                f" {', '.join(known.others[:10])}. It would count for none of them any more, and they"
                " would take no jobs until they have the new one. --shared does it nevertheless."
            )

    def _look(self, number: int, since: float | None) -> int:
        """See that the old token is dead, and that this host calls with the new one."""
        if self._rotation.number() is not None:
            self._tell("alive", number, "is still known by its old token, too.")
            return PARTIAL
        seconds = _CALLED_SECONDS if self._options.seconds is None else self._options.seconds
        if not seconds or since is None:
            return DONE
        remark(self._options, "Waiting until gitlab-runner of this host calls with it.")
        # GitLab's header has whole seconds.
        if self._rotation.has_called(number, since + 1, seconds):
            return self._tell("called", number, "is called for by this host.")
        text = (
            "has not been called for by this host since. Where gitlab-runner runs, it reads config.toml"
            " again by itself: see its log."
        )
        self._tell("silent", number, text)
        return FOUND

    def _adopt(self, token: str) -> int:
        """Write the token that another host's command has had made."""
        if token == self._entry.token:
            say(self._line("rotated", "", f"{self._file.path} has this token already."))
            return DONE
        if (number := self._rotation.number()) is not None:
            raise HostFailed(
                f"The token in {self._file.path} counts, and is that of runner {number}: there is nothing"
                " to replace."
            )
        owner = self._rotation.owner(token)
        if owner is None or self._options.runner not in (None, owner.number):
            raise HostFailed("The new token is not that of this runner: copy it again.")
        self._rotation.check_free(owner.number)
        if not self._options.yes:
            text = f"counts with the new token, which {self._file.path} would get: --yes does."
            return self._tell("would", owner.number, text)
        with Journal(self._options.audit_log) as journal:
            self._rotation.adopt(journal, owner, token)
        return self._tell("rotated", owner.number, f"has its new token in {self._file.path}.")

    def _tell(self, state: str, number: int, text: str, hosts: tuple[str, ...] = ()) -> int:
        sentence = f"Runner {number} ({self._entry.name}) {text}"
        say(self._line(state, self._rotation.target(number), sentence, hosts))
        return DONE

    def _line(self, state: str, target: str, sentence: str, hosts: tuple[str, ...] = ()) -> str:
        return event(state, target, sentence, hosts=hosts, json_lines=self._options.json)


def _left_out(known: Known) -> str:
    """Return what becomes of the other hosts."""
    if not known.others:
        return ""
    return (
        f" Other hosts ({len(known.others)}) share its token, and take no new jobs until they have the"
        " new one: `fleet rotate --new-token-file` writes it there."
    )
