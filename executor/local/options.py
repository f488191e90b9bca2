"""The options of `dind-executor local`, and what their values say."""

import argparse
import re
from pathlib import Path

from executor.local.errors import LocalError
from executor.local.pipeline.yaml_loader import is_possible
from executor.local.project.variables import ALWAYS_SECRET, Variable
from executor.local.runner.job_variables import DEFAULT_RUNNER_VERSION
from executor.local.runner.registration import DEFAULT_CONFIG, DEFAULT_SETTINGS
from executor.notation.durations import gitlab_seconds

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST_MASKED = 8
_LARGEST = 128 * 1024
_DESCRIPTION = """Run the jobs of a pipeline file through the four hooks, as gitlab-runner would: to
try a registration or a pipeline without GitLab and without gitlab-runner. Jobs get what is
committed."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="dind-executor local", description=_DESCRIPTION)
    add = made.add_argument
    add(
        "jobs",
        nargs="*",
        metavar="JOB",
        help="run only these jobs (default: all that the rules admit)",
    )
    add(
        "--file",
        type=Path,
        default=Path(".gitlab-ci.yml"),
        help="the pipeline file (default: .gitlab-ci.yml)",
    )
    add(
        "--branch",
        default="",
        metavar="NAME",
        help="the branch to run for (default: the one checked out)",
    )
    add(
        "--project-path",
        default="",
        metavar="GROUP/PROJECT",
        help="the project's path (default: local/DIRECTORY)",
    )
    add(
        "--timeout",
        default="1h",
        metavar="TIME",
        help="the time limit of jobs without a `timeout`, such as 90s or 10m (default: 1h)",
    )
    add_registration(made)
    _add_variables(made)
    _add_server(made)
    return made


def add_registration(made: argparse.ArgumentParser, version: str = DEFAULT_RUNNER_VERSION) -> None:
    """Add the options that say which hooks run jobs, and with which settings.

    `version` is that of gitlab-runner, where nobody names one; "" where a capture says it.
    """
    group = made.add_argument_group("the registration")
    add = group.add_argument
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"gitlab-runner's configuration (default: {DEFAULT_CONFIG})",
    )
    add(
        "--runner",
        default="",
        metavar="NAME",
        help="the name of the runner in it (default: the first custom one)",
    )
    add(
        "--hooks",
        type=Path,
        metavar="DIR",
        help="the directory of the four hooks, instead of --config",
    )
    add(
        "--settings",
        type=Path,
        metavar="FILE",
        help=f"the settings of these hooks (default: {DEFAULT_SETTINGS})",
    )
    add(
        "--runner-version",
        default=version,
        metavar="X.Y.Z",
        help="the version of gitlab-runner that the hooks are told, and whose scripts are run"
        f" (default: {version or 'that of the capture'})",
    )


def _add_variables(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("variables, as in the CI/CD settings of a GitLab project")
    add = group.add_argument
    add("--variable", action="append", default=[], metavar="KEY=VALUE", help="a public variable")
    add(
        "--secret-variable",
        action="append",
        default=[],
        metavar="KEY=VALUE|KEY=@FILE",
        help="a masked variable; @FILE reads the value from a file",
    )
    add(
        "--file-variable",
        action="append",
        default=[],
        metavar="KEY=FILE",
        help="a variable of type file",
    )


def _add_server(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("the server for sources, artifacts and caches, and the report")
    add = group.add_argument
    add(
        "--listen",
        default="",
        metavar="HOST[:PORT]",
        help="where the server listens (default: the gateway of the engine's bridge network)",
    )
    add(
        "--cache-server",
        type=Path,
        metavar="DIR",
        help="serve caches too, and keep them in this directory",
    )
    add(
        "--report",
        type=Path,
        metavar="FILE",
        help="also write results and seconds to this file, as JSON",
    )
    add(
        "--timeline",
        type=Path,
        metavar="FILE.svg",
        help="also write a picture of what each job took, call by call, to this file",
    )


def variables(given: argparse.Namespace) -> tuple[Variable, ...]:
    """Return the variables of all three options, in the order in which GitLab would add them."""
    return (
        *(plain_variable(text) for text in given.variable),
        *(secret_variable(text) for text in given.secret_variable),
        *(file_variable(text) for text in given.file_variable),
    )


def plain_variable(text: str) -> Variable:
    """Return the variable of a --variable; GitLab's own secrets stay secrets here too."""
    key, value = _key_and_value("--variable", text)
    is_secret = key in ALWAYS_SECRET
    return Variable(key, value, public=not is_secret, masked=is_secret, raw=is_secret)


def secret_variable(text: str) -> Variable:
    """Return the masked variable of a --secret-variable; @FILE keeps it off the command line."""
    key, value = _key_and_value("--secret-variable", text)
    if value.startswith("@"):
        value = _content("--secret-variable", key, value[1:]).rstrip("\n")
    if "\n" in value:
        raise LocalError(
            f"--secret-variable {key}: the value has several lines, which cannot be masked; "
            f"give it as a file with --file-variable"
        )
    return Variable(key, value, public=False, masked=True, raw=True)


def file_variable(text: str) -> Variable:
    """Return the file-type variable of a --file-variable; masked if a line can be."""
    key, path = _key_and_value("--file-variable", text)
    content = _content("--file-variable", key, path.removeprefix("@"))
    can_be_masked = "\n" not in content and len(content) >= _SHORTEST_MASKED
    return Variable(key, content, public=False, file=True, masked=can_be_masked, raw=True)


def project_path(text: str) -> str:
    """Return a project path of at least a group and a name."""
    if not re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", text):
        raise LocalError(f'--project-path "{text}": write it as GROUP/PROJECT')
    return text


def duration_seconds(text: str) -> int:
    """Return the seconds of a --timeout, which is written as a job's `timeout` is."""
    seconds = gitlab_seconds(text)
    if not seconds:
        raise LocalError(f'--timeout "{text}" is not a duration; write it as 90s, 10m or 1h 30m')
    return seconds


def _key_and_value(option: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key):
        # The text may be a secret whose key was forgotten, so it is not repeated.
        raise LocalError(
            f"{option}: a value has no KEY= before it; write KEY=VALUE, with letters, digits and _ in KEY"
        )
    if not is_possible(value):
        raise LocalError(f"{option} {key}: its value is not UTF-8 text")
    return key, value


def _content(option: str, key: str, path: str) -> str:
    try:
        # Also from a pipe: whoever types this may keep a secret in none of their files.
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise LocalError(f"{option} {key}: {path} cannot be read ({why})") from None
    if len(content) > _LARGEST or "\0" in text:
        raise LocalError(
            f"{option} {key}: {path} is larger than {_LARGEST // 1024} KiB, or holds a NUL; no hook could"
            " get it"
        )
    return text
