"""What `dind-executor fleet` is given."""

import argparse
import os
from collections.abc import Mapping, MutableMapping, Sequence
from typing import NamedTuple, NoReturn

from executor.bounds import whole_number
from executor.commands.fleet.journal import DEFAULT
from executor.commands.fleet.listing import Place
from executor.commands.gitlab.tokens import take_token
from executor.commands.register.options import is_address
from executor.redaction import redact

VARIABLE, URL_VARIABLE = "GITLAB_TOKEN", "CI_SERVER_URL"
MOST_CLIENTS = 8
_IN_ARGV = ("--token", "--private-token", "--gitlab-token")


class Options(NamedTuple):
    """What is to be done, without the token."""

    action: str
    url: str
    place: Place
    clients: int
    json: bool
    token_file: str
    runner: int | None = None
    """The runner to drain; None for this host."""
    yes: bool = False
    wait: bool = False
    seconds: float | None = None
    """How long to wait at most; None for as long as it takes."""
    audit_log: str = DEFAULT

    @property
    def needs_gitlab(self) -> bool:
        """Tell whether GitLab is asked."""
        return self.action == "audit" or self.runner is not None

    @property
    def scope(self) -> str:
        """Return the least scopes of the token, as words."""
        return "`read_api`" if self.action == "audit" else "`read_api` and `manage_runner`"


class WrongUse(Exception):
    """The command is called in a way that means nothing; the text says how to call it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without a token that somebody typed."""
        raise WrongUse(f"{redact(message, ())}. See `dind-executor fleet --help`.")


def read_options(args: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Return what the command is given; raises WrongUse."""
    for each in args:
        if each.partition("=")[0] in _IN_ARGV:
            raise WrongUse(
                "A token on the command line is seen by every user of this host. Write it into a"
                f" file of mode 0600, and name that with --token-file; or set {VARIABLE}."
            )
    given = _parser().parse_args(args)
    url = str(given.url or environ.get(URL_VARIABLE, "")).rstrip("/")
    is_audit = given.action == "audit"
    if (is_audit or given.runner is not None) and not is_address(url):
        raise WrongUse(
            "--url is the address of GitLab, such as https://gitlab.example.com, without a user."
        )
    if not is_audit and given.timeout is not None and not given.wait:
        raise WrongUse("--timeout limits --wait: use both.")
    common = Options(
        action=given.action,
        url=url,
        place=_place(given) if is_audit else Place(),
        clients=given.jobs if is_audit else 1,
        json=given.json or not os.isatty(1),
        token_file=given.token_file or "",
    )
    if is_audit:
        return common
    return common._replace(
        runner=given.runner,
        yes=given.yes,
        wait=given.wait,
        seconds=given.timeout,
        audit_log=given.audit_log,
    )


def users_token(options: Options, environ: MutableMapping[str, str]) -> str:
    """Return the token; raises WrongUse, or UnusableToken."""
    if token := take_token(options.token_file, VARIABLE, environ):
        return token
    raise WrongUse(
        f"GitLab is asked with an access token of the scope {options.scope}: give it with"
        f" --token-file FILE, or in {VARIABLE}."
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dind-executor fleet",
        description="Look at all runners of a GitLab, and at the hosts that work for them.",
        epilog="Exit codes: 0 nothing is found; 1 something is; 2 wrong use; 3 GitLab"
        " did not do or tell all of it; 124 jobs are left after the timeout.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    audit = actions.add_parser(
        "audit", help="show what is wrong; changes nothing", allow_abbrev=False
    )
    _add_common(audit)
    _add_places(audit)
    for action, text in (
        ("drain", "let running jobs end, and take no new ones: on this host, or of a runner"),
        ("undrain", "take jobs again, where `drain` has ended that"),
    ):
        each = actions.add_parser(action, help=text, description=text, allow_abbrev=False)
        _add_common(each)
        _add_changes(each)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help=f"the address of GitLab; else {URL_VARIABLE} counts")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"file of mode 0600 with an access token; else {VARIABLE} counts",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON lines, as also where no terminal is"
    )


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runner",
        type=_runner,
        metavar="ID",
        help="a runner, with all its hosts, in GitLab (default: this host alone, by systemd)",
    )
    parser.add_argument("--yes", action="store_true", help="do it; else it is only shown")
    parser.add_argument(
        "--wait", action="store_true", help="wait until the running jobs have ended"
    )
    parser.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="how long to wait at most"
    )
    parser.add_argument(
        "--audit-log",
        default=DEFAULT,
        metavar="FILE",
        help="where each change is noted (default: %(default)s)",
    )


def _add_places(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--instance", action="store_true", help="all runners of GitLab")
    place.add_argument("--group", metavar="ID", help="runners of a group: its number or path")
    place.add_argument("--project", metavar="ID", help="runners of a project: its number or path")
    parser.add_argument(
        "--tag", action="append", default=[], help="only runners with all these tags"
    )
    parser.add_argument(
        "--jobs",
        type=_clients,
        default=MOST_CLIENTS,
        metavar="N",
        help=f"how many connections at once (default and most: {MOST_CLIENTS})",
    )


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


def _clients(text: str) -> int:
    number = whole_number(text, MOST_CLIENTS)
    if not number:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_CLIENTS} is expected")
    return number


def _runner(text: str) -> int:
    if not (number := whole_number(text)):
        raise argparse.ArgumentTypeError("the number of a runner is expected")
    return number


def _seconds(text: str) -> float:
    number = whole_number(text)
    if number is None:
        raise argparse.ArgumentTypeError("a number of seconds is expected")
    return float(number)
