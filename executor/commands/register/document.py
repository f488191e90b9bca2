"""What config.toml says, and whether one more runner may join."""

from typing import NamedTuple

from executor.bounds import InvalidToml, toml_table
from executor.commands.gitlab.tokens import runners_mistake
from executor.commands.register.config_file import ConfigFile
from executor.commands.register.config_text import (
    Table,
    Unchangeable,
    global_of,
    runners_of,
    with_runner,
)
from executor.commands.register.options import Options
from executor.commands.register.section import (
    SHUTDOWN_SECONDS,
    UNKNOWN_TOKEN,
    Paths,
    Registration,
    section_text,
)

_CHECK_INTERVAL_SECONDS = 3


class AlreadyThere(Exception):
    """The runner is registered; the text is the beginning of a sentence."""


class Taken(Exception):
    """The token or the name belongs to another runner; the text is a sentence."""


class Document(NamedTuple):
    """config.toml as it was read, and what is to be set in it."""

    text: str
    table: Table
    runners: list[dict[str, object]]
    paths: Paths
    path: str
    settings: dict[str, int | str]

    @classmethod
    def read(cls, file: ConfigFile, options: Options) -> "Document":
        """Read a file; raises OSError, UnicodeDecodeError, InvalidToml or Unchangeable."""
        text = file.read()
        if text.startswith("\N{BYTE ORDER MARK}"):
            raise InvalidToml("it begins with a byte order mark")
        table = toml_table(text)
        settings: dict[str, int | str] = {}
        if options.concurrent is not None:
            settings["concurrent"] = options.concurrent
        if not global_of(table, "shutdown_timeout"):
            settings["shutdown_timeout"] = SHUTDOWN_SECONDS
        if options.listen_address:
            settings["listen_address"] = options.listen_address
        return cls(text, table, runners_of(table), options.paths, str(file.path), settings)

    @property
    def check_interval(self) -> int:
        """Return how many seconds pass between two requests for jobs."""
        given = global_of(self.table, "check_interval")
        return given if isinstance(given, int) and given > 0 else _CHECK_INTERVAL_SECONDS

    def check(self, wanted: Registration) -> None:
        """See that a runner may join; raises AlreadyThere or Taken."""
        for each in self.runners:
            title = each.get("name") or "without a name"
            has_token = bool(wanted.token) and each.get("token") == wanted.token
            has_name = each.get("name") == wanted.name
            # A runner that is created has no token yet: its name tells.
            if has_token or (has_name and not wanted.token and _is_at(each, wanted.url)):
                if self._is_ours(each):
                    raise AlreadyThere(f"{self.path} has the runner {title!r} already")
                if has_token:
                    raise Taken(
                        f"{self.path} has the token already, for the runner {title!r} with the"
                        f" executor {each.get('executor')}. `dind-executor migrate` shows how that"
                        " one moves to dind-executor; or create another runner."
                    )
            if has_name:
                raise Taken(
                    f"{self.path} has a runner with the name {title!r} already: choose another one"
                    " with --name."
                )

    def with_runner(self, registration: Registration) -> str:
        """Return the text with a runner; raises Unchangeable."""
        return with_runner(self.text, section_text(registration, self.paths), self.settings)

    def left_token(self, left: str, wanted: Registration) -> str:
        """Return the token of the same runner in what a call that was killed has left, or "".

        GitLab shows the token of a runner that was created once.
        """
        try:
            runners = runners_of(toml_table(left))
        except (InvalidToml, Unchangeable):
            return ""
        known = [each.get("token") for each in self.runners]
        for each in runners:
            token = str(each.get("token", ""))
            is_it = each.get("name") == wanted.name and _is_at(each, wanted.url)
            is_real = token != UNKNOWN_TOKEN and not runners_mistake(token)
            if is_it and is_real and token not in known and self._is_ours(each):
                return token
        return ""

    def _is_ours(self, runner: Table) -> bool:
        custom = runner.get("custom")
        run = custom.get("run_exec") if isinstance(custom, dict) else None
        return runner.get("executor") == "custom" and run == f"{self.paths.hooks}/run"


def _is_at(runner: Table, url: str) -> bool:
    return str(runner.get("url", "")).rstrip("/") == url
