"""python-gitlab's own configuration files: addresses of GitLabs, each with a token.

They are those that python-gitlab's command line reads: /etc/python-gitlab.cfg and ~/.python-gitlab.cfg,
or the one that PYTHON_GITLAB_CFG names.  A token there may be `helper: COMMAND`, which prints it.  Of
all that a section may have, the address and the token of a user count.
"""

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from executor.commands.gitlab.tokens import UnusableToken, checked_token

VARIABLE = "PYTHON_GITLAB_CFG"
_SYSTEM = "/etc/python-gitlab.cfg"
_OWN = ".python-gitlab.cfg"
_OPEN_TO_OTHERS = stat.S_IRWXO | stat.S_IWGRP
_CHANGED_BY_OTHERS = stat.S_IWOTH | stat.S_IWGRP


class Section(NamedTuple):
    """A GitLab that the files know."""

    name: str
    url: str
    files: tuple[str, ...]

    def token(self) -> str:
        """Return its token; raises UnusableToken."""
        from gitlab.config import ConfigError, GitlabConfigParser

        try:
            token = GitlabConfigParser(self.name, list(self.files)).private_token
        except (ConfigError, OSError, ValueError):
            # What a helper says may be secret.
            raise UnusableToken(
                f"the token in [{self.name}] of {self.place} cannot be read: python-gitlab, or the"
                " helper that it names there, refuses"
            ) from None
        if not token:
            raise UnusableToken(f"[{self.name}] of {self.place} has no private_token")
        return checked_token(token, f"private_token in [{self.name}] of {self.place}")

    @property
    def place(self) -> str:
        """Return which files it is of."""
        return " and ".join(self.files)


def find(name: str, url: str, environ: Mapping[str, str]) -> Section | None:
    """Return the section of a name, else that of an address, else the default one.

    None where there are no files, or none knows the address: no token is sent to another one.  Raises
    UnusableToken.
    """
    import configparser  # noqa: PLC0415 (most commands have a token otherwise)

    files = _files(environ)
    parser = configparser.ConfigParser()
    try:
        parser.read(files, encoding="utf-8")
        names = [each for each in parser.sections() if parser.has_option(each, "url")]
        addresses = {each: parser.get(each, "url").strip().rstrip("/") for each in names}
        default = parser.get("global", "default", fallback="")
    except (configparser.Error, ValueError):
        raise UnusableToken(f"{' and '.join(files)} cannot be read as python-gitlab's") from None
    if name:
        if name not in addresses or url not in ("", addresses[name]):
            where = " and ".join(files) or f"{_SYSTEM} and ~/{_OWN}"
            whose = f" with the address {url}" if url else ""
            raise UnusableToken(f"there is no section [{name}]{whose} in {where}")
        return Section(name, addresses[name], files)
    fitting = [each for each in addresses if not url or addresses[each] == url]
    # Several tokens for one address: the default one counts, or else the first.
    chosen = default if default in fitting else next(iter(fitting), "") if url else ""
    return Section(chosen, addresses[chosen], files) if chosen else None


def _files(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files that are there; raises UnusableToken where others may read or change one."""
    named = environ.get(VARIABLE, "")
    home = environ.get("HOME", "")
    usual = [_SYSTEM, *([f"{home}/{_OWN}"] if home else [])]
    found: list[str] = []
    for path in [named] if named else usual:
        try:
            seen = os.stat(path)  # noqa: PTH116 (as in the settings)
        except FileNotFoundError:
            if named:
                raise UnusableToken(f"{VARIABLE} names {path}, which is not there") from None
            continue
        except OSError as error:
            raise UnusableToken(f"{path} cannot be read: {error.strerror}") from None
        if stat.S_IMODE(seen.st_mode) & _OPEN_TO_OTHERS:
            raise UnusableToken(f"other users may read or change {path}: `chmod 600 {path}`")
        # It names programs that are run.
        if seen.st_uid not in (0, os.geteuid()):
            raise UnusableToken(f"{path} is another user's: run this as that user")
        if place := _of_others(path):
            raise UnusableToken(
                f"other users may put another file in the place of {path}: {place} is theirs, or open to"
                " them. Run this as its owner, or close it"
            )
        found.append(path)
    return tuple(found)


def _of_others(path: str) -> str:
    """Return the directory, or the link, by which others say which file a path means; "" without one.

    They would do so between a look at the file and its being read.
    """
    own = (0, os.geteuid())
    real = os.path.realpath(path)
    for place in dict.fromkeys(map(os.path.dirname, (os.path.abspath(path), real))):  # noqa: PTH100
        seen = os.stat(place)  # noqa: PTH116
        is_open = seen.st_mode & _CHANGED_BY_OTHERS and not seen.st_mode & stat.S_ISVTX
        if seen.st_uid not in own or is_open:
            return place
    return "" if os.lstat(path).st_uid in own else path
