"""The arguments of `dind-executor fleet`."""

import argparse
from typing import NoReturn

from executor.bounds import whole_number
from executor.commands.fleet.journal import DEFAULT
from executor.commands.register.options import CONFIG
from executor.redaction import redact

VARIABLE, URL_VARIABLE = "GITLAB_TOKEN", "CI_SERVER_URL"
MOST_CLIENTS = 8
_DAY = 86400


class WrongUse(Exception):
    """The command is called in a way that means nothing; the text says how to call it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without a token that somebody typed."""
        raise WrongUse(f"{redact(message, ())}. See `dind-executor fleet --help`.")


def parser() -> argparse.ArgumentParser:
    """Return what reads them; it raises WrongUse."""
    whole = _Parser(
        prog="dind-executor fleet",
        description="Look at all runners of a GitLab, and at the hosts that work for them.",
        epilog="Exit codes: 0 nothing is found; 1 something is; 2 wrong use; 3 GitLab"
        " did not do or tell all of it; 124 jobs are left after the timeout.",
        allow_abbrev=False,
    )
    actions = whole.add_subparsers(dest="action", required=True, metavar="ACTION")
    audit = actions.add_parser(
        "audit", help="show what is wrong; changes nothing", allow_abbrev=False
    )
    _add_common(audit)
    _add_places(audit)
    _add_reconcile(actions)
    old = actions.add_parser(
        "stale",
        help="delete the runners that no host has called for in a long time",
        description="Delete the runners that no host has called for in a long time.",
        allow_abbrev=False,
    )
    _add_common(old)
    _add_places(old)
    _add_writing(old)
    old.add_argument(
        "--older-than", type=_days, default=30 * _DAY, metavar="30d", help="for how long"
    )
    old.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (50)")
    old.add_argument(
        "--max-share",
        type=_percent,
        default=0.2,
        metavar="20%%",
        help="do nothing where more than this part of the runners is silent",
    )
    for action, text in (
        ("drain", "let running jobs end, and take no new ones: on this host, or of a runner"),
        ("undrain", "take jobs again, where `drain` has ended that"),
    ):
        each = actions.add_parser(action, help=text, description=text, allow_abbrev=False)
        _add_common(each)
        _add_writing(each)
        _add_changes(each)
    _add_rotate(actions)
    return whole


def _add_rotate(actions: "argparse._SubParsersAction[_Parser]") -> None:
    tokens = actions.add_parser(
        "rotate",
        help="give a runner another token, and config.toml of this host with it",
        description="Give a runner of this host another token: the one before counts no more.",
        allow_abbrev=False,
    )
    _add_common(tokens)
    _add_writing(tokens)
    add = tokens.add_argument
    add("--config", default=CONFIG, metavar="FILE", help="(default: %(default)s)")
    add("--name", metavar="NAME", help="the runner in config.toml (default: the only one)")
    add(
        "--runner",
        type=_runner,
        metavar="ID",
        help="its number in GitLab, where GitLab does not know its token any more",
    )
    add("--shared", action="store_true", help="also where other hosts lose their token by that")
    add(
        "--new-token-file",
        metavar="FILE",
        help="write this token, which another host of the runner has had made",
    )
    add(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="how long gitlab-runner may take to call with it (default: 30; 0: not waited for)",
    )


def _add_reconcile(actions: "argparse._SubParsersAction[_Parser]") -> None:
    ghosts = actions.add_parser(
        "reconcile",
        help="end the jobs that GitLab believes to run on hosts that are gone",
        description="End the jobs that GitLab believes to run on hosts that do not call any more.",
        allow_abbrev=False,
    )
    _add_common(ghosts)
    _add_places(ghosts)
    _add_writing(ghosts)
    add = ghosts.add_argument
    add(
        "--silent",
        type=_minutes,
        default=15 * 60,
        metavar="MINUTES",
        help="for how long a host has not called (default: 15)",
    )
    add("--retry", action="store_true", help="retry each, as the user of the token")
    add(
        "--max-share",
        type=_percent,
        default=0.5,
        metavar="50%%",
        help="do nothing where more than this part of the hosts is silent with jobs",
    )
    add(
        "--second-look",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long a host must have gone on being silent before its jobs are ended (60)",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help=f"the address of GitLab; else {URL_VARIABLE} counts")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"file of mode 0600 with an access token; else {VARIABLE} counts, and else the files of"
        " python-gitlab",
    )
    parser.add_argument(
        "--gitlab", metavar="NAME", default="", help="the section of python-gitlab's files"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON lines, as also where no terminal is"
    )


def _add_writing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; else it is only shown")
    parser.add_argument(
        "--audit-log",
        default=DEFAULT,
        metavar="FILE",
        help="where each change is noted (default: %(default)s)",
    )


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runner",
        type=_runner,
        metavar="ID",
        help="a runner, with all its hosts, in GitLab (default: this host alone, by systemd)",
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait until the running jobs have ended"
    )
    parser.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="how long to wait at most"
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


def _clients(text: str) -> int:
    number = whole_number(text, MOST_CLIENTS)
    if not number:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_CLIENTS} is expected")
    return number


def _runner(text: str) -> int:
    if not (number := whole_number(text)):
        raise argparse.ArgumentTypeError("the number of a runner is expected")
    return number


def _count(text: str) -> int:
    if not (number := whole_number(text)):
        raise argparse.ArgumentTypeError("a number from 1 is expected")
    return number


def _seconds(text: str) -> float:
    number = whole_number(text)
    if number is None:
        raise argparse.ArgumentTypeError("a number of seconds is expected")
    return float(number)


def _minutes(text: str) -> float:
    minutes = whole_number(text, 7 * 24 * 60, 5)
    if minutes is None:
        raise argparse.ArgumentTypeError("a number of minutes from 5 is expected")
    return float(minutes * 60)


def _days(text: str) -> float:
    days = whole_number(text.removesuffix("d"), 3650, 7)
    if days is None:
        raise argparse.ArgumentTypeError("a number of days from 7d is expected, such as 30d")
    return float(days * _DAY)


def _percent(text: str) -> float:
    number = whole_number(text.removesuffix("%"), 100)
    if number is None:
        raise argparse.ArgumentTypeError("a percentage is expected, such as 20%")
    return number / 100
