"""What `dind-executor register` is given."""

import argparse
import socket
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

from executor.bounds import whole_number
from executor.commands.gitlab.tokens import runners_mistake, take_token
from executor.commands.install.versions import own_prefix
from executor.commands.register.creation import SCOPE, Wanted
from executor.commands.register.section import HOOKS, SETTINGS, Paths
from executor.redaction import redact

CONFIG = "/etc/gitlab-runner/config.toml"
RUNNER_VARIABLE, USER_VARIABLE = "CI_SERVER_TOKEN", "GITLAB_TOKEN"
_IN_ARGV = ("--token", "--registration-token", "--private-token", "--gitlab-token")


class Options(NamedTuple):
    """What is to be done, without the tokens."""

    url: str
    name: str
    config: Path
    paths: Paths
    concurrent: int | None
    listen_address: str
    ignored: tuple[str, ...]
    tries_job: bool
    makes_units: bool
    wanted: Wanted | None
    """The runner to create; None where there is one already."""
    token_file: str
    user_token_file: str
    prints_template: bool


class WrongUse(Exception):
    """The command is called in a way that means nothing; the text says how to call it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without a token that somebody typed."""
        raise WrongUse(f"{redact(message, ())}. See `dind-executor register --help`.")


def read_options(args: Sequence[str]) -> Options:
    """Return what the command is given; raises WrongUse."""
    for each in args:
        if each.partition("=")[0] in _IN_ARGV:
            raise WrongUse(
                "A token on the command line is seen by every user of this host. Write it into a"
                f" file of mode 0600, and name that with --token-file; or set {RUNNER_VARIABLE}."
            )
    given = _parser().parse_args(args)
    url = str(given.url or "").rstrip("/")
    if (url or not given.print_template) and not is_address(url):
        raise WrongUse(
            "--url is the address of GitLab, such as https://gitlab.example.com, without a user."
        )
    name = given.name or socket.gethostname()
    if not name.isprintable() or not name.strip() or len(name) > 255:  # noqa: PLR2004 (GitLab's)
        raise WrongUse("--name is one line of at most 255 characters.")
    return Options(
        url=url,
        name=name,
        config=Path(given.config),
        paths=Paths(str(Path(given.hooks).absolute()), str(Path(given.settings).absolute())),
        concurrent=given.concurrent,
        listen_address=given.listen_address or "",
        ignored=tuple(each for part in given.ignore for each in part.split(",") if each),
        tries_job=given.job,
        makes_units=given.units,
        wanted=_wanted(given, name),
        token_file=given.token_file or "",
        user_token_file=given.gitlab_token_file or "",
        prints_template=given.print_template,
    )


def runners_token(options: Options, environ: MutableMapping[str, str]) -> str:
    """Return the token of the runner that is there; raises WrongUse, or UnusableToken."""
    token = take_token(options.token_file, RUNNER_VARIABLE, environ)
    if not token:
        raise WrongUse(
            "There is no token. Create a runner in GitLab (Settings > CI/CD > Runners), and give its"
            f" token with --token-file FILE or in {RUNNER_VARIABLE}; or have one created with --create."
        )
    if mistake := runners_mistake(token):
        raise WrongUse(f"The token is of no use: {mistake}.")
    return token


def users_token(options: Options, environ: MutableMapping[str, str]) -> str:
    """Return the token of the user who creates the runner; raises WrongUse, or UnusableToken."""
    token = take_token(options.user_token_file, USER_VARIABLE, environ)
    if not token:
        raise WrongUse(
            f"--create needs an access token with the scope `{SCOPE}`: give it with"
            f" --gitlab-token-file FILE, or in {USER_VARIABLE}."
        )
    return token


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dind-executor register",
        allow_abbrev=False,
        description="Register a runner of this host: check the host, write the runner beside what"
        " config.toml has, and have gitlab-runner take jobs.",
        epilog="Exit codes: 0 done, or done before; 1 nothing was registered, or what the last lines"
        " say stands; 2 wrong use.",
    )
    add = parser.add_argument
    add("--url", metavar="URL", help="the address of GitLab")
    add("--token-file", metavar="FILE", help=f"file with the runner's token (or {RUNNER_VARIABLE})")
    add("--name", metavar="NAME", help="the runner's name (default: the host's)")
    add("--concurrent", metavar="N", type=_count, help="how many jobs run at the same time")
    add("--listen-address", metavar="ADDRESS", help="where gitlab-runner shows its metrics")
    add("--config", metavar="FILE", default=CONFIG, help="(default: %(default)s)")
    add("--settings", metavar="FILE", default=SETTINGS, help="(default: %(default)s)")
    add(
        "--hooks",
        metavar="DIR",
        default=str(own_prefix(Path(HOOKS).parent) / "hooks"),
        help="(default: %(default)s)",
    )
    add("--ignore", metavar="ID,...", action="append", default=[], help="checks that do not count")
    add(
        "--job",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="make a job's environment before anything is written, build in it, and remove it",
    )
    add(
        "--units",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="where systemd runs: the units of `dind-executor install`, and gitlab-runner's service",
    )
    add(
        "--print-template",
        action="store_true",
        help="print a template for `gitlab-runner register`",
    )
    create = parser.add_argument_group("a new runner")
    add = create.add_argument
    add("--create", action="store_true", help="create the runner in GitLab, once for this host")
    add(
        "--gitlab-token-file",
        metavar="FILE",
        help=f"file with an access token of the scope {SCOPE} (or {USER_VARIABLE})",
    )
    add("--group", metavar="ID", help="for a group: its number, or its path")
    add("--project", metavar="ID", help="for a project: its number, or its path")
    add("--instance", action="store_true", help="for all projects of this GitLab")
    add("--tag", metavar="TAG,...", action="append", default=[], help="only for jobs with tags")
    add("--untagged", action="store_true", help="with tags, also for jobs without tags")
    add("--protected", action="store_true", help="only for jobs of protected branches and tags")
    return parser


def _wanted(given: argparse.Namespace, name: str) -> Wanted | None:
    """Return the runner to create; raises WrongUse."""
    tags = tuple(each.strip() for part in given.tag for each in part.split(",") if each.strip())
    places = [bool(given.group), bool(given.project), bool(given.instance)]
    if not given.create:
        if any(places) or tags or given.untagged or given.protected or given.gitlab_token_file:
            raise WrongUse(
                "Tags and the place of a runner belong to --create. Those of a runner that exists are"
                " set on its page in GitLab."
            )
        return None
    if given.token_file:
        raise WrongUse("--create makes a token, and --token-file has one: use one of the two.")
    if sum(places) != 1:
        raise WrongUse("--create needs one of --group ID, --project ID and --instance.")
    kind = "group_type" if given.group else "project_type" if given.project else "instance_type"
    place = given.group or given.project or ""
    return Wanted(name, kind, place, tags, given.untagged, given.protected)


def is_address(url: str) -> bool:
    """Tell whether it is the address of a GitLab, without anything secret."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' $"\\')
    return (
        parts.scheme in ("http", "https")
        and has_host
        and is_plain
        and not (parts.username or parts.password or parts.query or parts.fragment)
    )


def _count(text: str) -> int:
    number = whole_number(text, 10_000, 1)
    if number is None:
        raise argparse.ArgumentTypeError("it is a number from 1 to 10000")
    return number


def without_tokens(environ: MutableMapping[str, str]) -> None:
    """Take both tokens out of the environment, which programs that are started get."""
    for name in (RUNNER_VARIABLE, USER_VARIABLE):
        environ.pop(name, None)
