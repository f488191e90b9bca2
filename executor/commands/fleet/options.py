"""What `dind-executor fleet` is given."""

import argparse
import os
from collections.abc import Mapping, MutableMapping, Sequence
from typing import NamedTuple

from executor.commands.fleet.arguments import URL_VARIABLE, VARIABLE, WrongUse, parser
from executor.commands.fleet.journal import DEFAULT
from executor.commands.fleet.listing import Place
from executor.commands.gitlab import configuration
from executor.commands.gitlab.tokens import take_token
from executor.commands.register.options import is_address

_OF_FLEETS = ("audit", "stale", "reconcile")
_IN_ARGV = ("--token", "--private-token", "--gitlab-token")


class Rotating(NamedTuple):
    """Which token of this host, and how."""

    config: str
    name: str
    """The runner in config.toml; "" for the only one."""
    shared: bool
    """Whether other hosts may lose the token."""
    new_token_file: str
    """A token that there is already; "" to have one made."""


class Options(NamedTuple):
    """What is to be done, without the token."""

    action: str
    url: str
    place: Place
    clients: int
    json: bool
    token_file: str
    section: str = ""
    """Of python-gitlab's files; "" for the one that has the address, or the default one."""
    runner: int | None = None
    """The runner to drain; None for this host."""
    yes: bool = False
    wait: bool = False
    seconds: float | None = None
    """How long to wait at most; None for as long as it takes."""
    audit_log: str = DEFAULT
    older_than: float = 0.0
    """Of `stale`: for how many seconds nobody has called."""
    limit: int = 0
    silent: float = 0.0
    """Of `reconcile`: for how many seconds a host has not called."""
    share: float = 0.0
    """Which part of the runners, or hosts, may be silent before something else must be wrong."""
    retry: bool = False
    """Of `reconcile`: whether jobs that are ended are retried."""
    second_look: float = 0.0
    """Of `reconcile`: after how many seconds a host is looked at again."""

    rotating: Rotating | None = None

    @property
    def needs_gitlab(self) -> bool:
        """Tell whether GitLab is asked."""
        return self.action in _OF_FLEETS or self.runner is not None or self.rotating is not None

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the least scopes of the token."""
        if self.action == "rotate":
            return ("manage_runner",)
        if self.action == "audit" or (self.action == "reconcile" and not self.yes):
            return ("read_api",)
        return ("api",) if self.action == "reconcile" else ("read_api", "manage_runner")

    @property
    def scope(self) -> str:
        """Return them as words."""
        return " and ".join(f"`{each}`" for each in self.scopes)


def read_options(args: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Return what the command is given; raises WrongUse, or UnusableToken."""
    for each in args:
        if each.partition("=")[0] in _IN_ARGV:
            raise WrongUse(
                "A token on the command line is seen by every user of this host. Write it into a"
                f" file of mode 0600, and name that with --token-file; or set {VARIABLE}."
            )
    given = parser().parse_args(args)
    url = _url(given, environ)
    is_of_fleet = given.action in _OF_FLEETS
    common = Options(
        action=given.action,
        url=url,
        place=_place(given) if is_of_fleet else Place(),
        clients=given.jobs if is_of_fleet else 1,
        json=given.json or not os.isatty(1),
        token_file=given.token_file or "",
        section=given.gitlab,
    )
    if given.action == "audit":
        return common
    changing = common._replace(yes=given.yes, audit_log=given.audit_log)
    if given.action == "reconcile":
        return changing._replace(
            silent=given.silent,
            share=given.max_share,
            retry=given.retry,
            second_look=given.second_look,
        )
    if given.action == "stale":
        return changing._replace(
            older_than=given.older_than, limit=given.limit, share=given.max_share
        )
    if given.action == "rotate":
        names = given.config, given.name or "", given.shared, given.new_token_file or ""
        return changing._replace(
            runner=given.runner, seconds=given.timeout, rotating=Rotating(*names)
        )
    if given.timeout is not None and not given.wait:
        raise WrongUse("--timeout limits --wait: use both.")
    return changing._replace(
        runner=given.runner,
        wait=given.wait,
        seconds=given.timeout,
    )


def users_token(options: Options, environ: MutableMapping[str, str]) -> str:
    """Return the token; raises WrongUse, or UnusableToken."""
    if token := take_token(options.token_file, VARIABLE, environ):
        return token
    if found := configuration.find(options.section, options.url, environ):
        return found.token()
    raise WrongUse(
        f"GitLab is asked with an access token of the scope {options.scope}: give it with"
        f" --token-file FILE, in {VARIABLE}, or in a file of python-gitlab."
    )


def _url(given: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """Return where GitLab is, "" where nobody needs to say that; raises WrongUse, or UnusableToken."""
    usual = "" if given.gitlab else environ.get(URL_VARIABLE, "")
    url = str(given.url or usual).rstrip("/")
    is_rotation = given.action == "rotate"
    is_asked = given.action in _OF_FLEETS or getattr(given, "runner", None) is not None
    if is_asked or is_rotation:
        if not url and _is_in_file(given, environ):
            found = configuration.find(given.gitlab, "", environ)
            url = found.url if found else ""
        # A rotation has it from config.toml.
        if not is_address(url) and (url or not is_rotation):
            raise WrongUse(
                "--url is the address of GitLab, such as https://gitlab.example.com, without a user."
            )
    return url


def _is_in_file(given: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Tell whether a file of python-gitlab may say where GitLab is.

    `rotate` has the address from config.toml, but no token of such a file goes to another GitLab than its own.
    """
    if given.action != "rotate":
        return True
    return not (given.token_file or given.new_token_file or environ.get(VARIABLE, "").strip())


def _place(given: argparse.Namespace) -> Place:
    tags = tuple(part for each in given.tag for part in each.split(",") if part)
    if given.instance:
        return Place("instance", "", tags)
    for kind in ("group", "project"):
        name = getattr(given, kind)
        if name is not None:
            if not name.strip():
                raise WrongUse(f"--{kind} is the number or the path of a {kind}.")
            return Place(kind, name, tags)
    return Place("", "", tags)
