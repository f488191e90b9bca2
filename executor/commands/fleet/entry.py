"""A runner of this host, as config.toml has it: its token, and another one in its place."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from executor.bounds import InvalidToml, toml_table
from executor.commands.fleet.host import HostFailed
from executor.commands.register.config_file import Busy, Changed, ConfigFile
from executor.commands.register.config_text import Unchangeable, runners_of
from executor.commands.register.options import is_address
from executor.commands.register.section import UNKNOWN_TOKEN
from executor.commands.register.stops import ADVICE
from executor.commands.register.token_text import with_token
from executor.host.system_id import system_id_beside
from executor.redaction import redact

_TRIES = 5


class Entry(NamedTuple):
    """A runner in config.toml."""

    name: str
    url: str
    token: str
    system_id: str
    """By which GitLab tells this host from others."""

    def __repr__(self) -> str:
        """Name the runner without its token."""
        return f"Entry({self.name!r}, {self.url!r})"


@contextmanager
def held(file: ConfigFile) -> Iterator[None]:
    """Keep others away from config.toml, and say in a sentence what is wrong with it.

    Raises HostFailed.
    """
    try:
        if not file.path.exists():
            raise HostFailed(f"There is no {file.path} on this host: name another with --config.")
        with file.held():
            yield
    except Busy:
        raise HostFailed(f"Another command changes {file.path}. Try again later.") from None
    except (InvalidToml, UnicodeDecodeError) as error:
        raise HostFailed(f"{file.path} is no TOML: {error}.") from None
    except Unchangeable as error:
        raise HostFailed(f"{file.path} stays as it is: {error}.") from None
    except OSError as error:
        where = error.filename or file.path
        advice = ADVICE.get(error.errno or 0, "")
        raise HostFailed(f"{where}: {error.strerror}.{advice}") from None


def read_entry(file: ConfigFile, name: str, url: str) -> Entry:
    """Return the runner of a name and of a GitLab, each "" where any is meant.

    Raises HostFailed where that is not one with a token, and what `held` makes sentences of.
    """
    there = _entries(file, file.read())
    named = [each for each in there if name in ("", each.name)]
    found = [each for each in named if url in ("", each.url)]
    if len(found) != 1:
        raise HostFailed(_not_one(file, there, named, found, url))
    (entry,) = found
    if not is_address(entry.url):
        raise HostFailed(f"The runner {entry.name!r} of {file.path} has no address of GitLab.")
    if not entry.token or "$" in entry.token:
        raise HostFailed(f"The runner {entry.name!r} of {file.path} has no token of its own there.")
    if not entry.system_id:
        raise HostFailed(
            f"gitlab-runner has not run with {file.given} yet: there is no .runner_system_id beside it."
        )
    return entry


def _not_one(
    file: ConfigFile, there: list[Entry], named: list[Entry], found: list[Entry], url: str
) -> str:
    """Return why the options mean no runner, or several."""
    if found:
        names = ", ".join(repr(each.name) for each in found)
        return f"{file.path} has several such runners, {names}: choose one with --name."
    if named:
        told = ", ".join(f"{each.name!r} of {redact(each.url, ())}" for each in named)
        return (
            f"{file.path} has {told}, and no such runner of {url}, which --url or CI_SERVER_URL names:"
            " correct or leave out that."
        )
    if not there:
        return f"{file.path} has no runner: name another file with --config."
    names = ", ".join(repr(each.name) for each in there)
    return f"{file.path} has {names}, and not the one that --name names."


def others(file: ConfigFile, entry: Entry) -> list[Entry]:
    """Return the other runners of the same GitLab in the file; raises what `held` makes sentences of."""
    found = [each for each in _entries(file, file.read()) if each.url == entry.url]
    return [each for each in found if each.token not in (entry.token, "")]


def left_token(file: ConfigFile, entry: Entry) -> str:
    """Return the token of the same runner that a call that was killed has left, or ""."""
    try:
        entries = _entries(file, file.left())
    except (InvalidToml, Unchangeable):
        return ""
    known = (entry.token, UNKNOWN_TOKEN, "")
    mine = [each for each in entries if (each.name, each.url) == (entry.name, entry.url)]
    return next((each.token for each in mine if each.token not in known), "")


def try_out(file: ConfigFile, entry: Entry) -> None:
    """See that the token can be replaced, before another one is made.

    Raises HostFailed where it cannot, and what `held` makes sentences of.
    """
    file.try_out(with_token(file.read(), entry.token, UNKNOWN_TOKEN, _now(), None))
    file.forget()


def put(
    file: ConfigFile, entry: Entry, token: str, expires: dt.datetime | None, command: str
) -> None:
    """Have config.toml have another token, whatever else was changed in it meanwhile.

    Raises HostFailed where that was the token, and what `held` makes sentences of.
    """
    for _ in range(_TRIES):
        try:
            file.try_out(with_token(file.read(), entry.token, token, _now(), expires))
            file.commit(command)
        except Changed:
            continue
        return
    raise HostFailed(f"{file.path} changes all the time. Try again later.")


def _entries(file: ConfigFile, text: str) -> list[Entry]:
    # gitlab-runner does not follow links to find it.
    system_id = system_id_beside(str(file.given))
    return [
        Entry(
            str(each.get("name", "")),
            str(each.get("url", "")).rstrip("/"),
            str(each.get("token", "")),
            system_id,
        )
        for each in runners_of(toml_table(text))
    ]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
