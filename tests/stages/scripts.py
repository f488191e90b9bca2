"""The scripts that gitlab-runner writes for bash and sh, as far as a container can tell."""

from collections.abc import Mapping, Sequence

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    """Return `text` as one word in ANSI-C quotes, gitlab-runner's default."""
    return "$'" + "".join(_ESCAPES.get(each, each) for each in text) + "'"


def whole(body: Sequence[str]) -> str:
    """Return the script around a body: its commands see the end of stdin at once."""
    lines = (
        "#!/usr/bin/env bash",
        "",
        "trap 'exit 1' TERM",
        "",
        'case "$(set -o)" in',
        "  *pipefail*) set -o pipefail ;;",
        "esac",
        "set -o errexit",
        "set +o noclobber",
        f"(trap 'exit 1' TERM; eval {quoted(''.join(line + chr(10) for line in body))}) </dev/null",
        "exit 0",
    )
    return "\n".join(lines) + "\n"


def exports(values: Mapping[str, str], files: frozenset[str]) -> list[str]:
    """Return the lines that begin every script but that of prepare_script."""
    directory = values["RUNNER_TEMP_PROJECT_DIR"]
    lines = []
    for key, value in values.items():
        if key in files:
            lines += [
                f"mkdir -p {quoted(directory)}",
                f"printf '%s' {quoted(value)} > {quoted(f'{directory}/{key}')}",
                f"export {key}={quoted(f'{directory}/{key}')}",
            ]
        elif key not in {"CI_JOB_SERVICES", "RUNNER_TEMP_PROJECT_DIR"}:
            lines.append(f"export {key}={quoted(value)}")
    return lines


def authors(values: Mapping[str, str], files: frozenset[str], commands: Sequence[str]) -> str:
    """Return the script of a user stage: exports, the project's directory, each command echoed."""
    body = [*exports(values, files), f"cd {quoted(values['CI_PROJECT_DIR'])}"]
    for command in commands:
        body += [f"echo {quoted('$ ' + command.splitlines()[0])}", command]
    return whole(body)


def sources(values: Mapping[str, str], files: frozenset[str]) -> str:
    """Return a get_sources that makes a project of one file, without a server."""
    directory = quoted(values["CI_PROJECT_DIR"])
    body = [
        *exports(values, files),
        f"git init --quiet {directory}",
        f"cd {directory}",
        "echo 'from the helper' > source.txt",
        "mkdir -p context",
    ]
    return whole(body)
