"""The scripts of the sub-stages, as a shell gets them.

Pure. A script can run as a file or be read from stdin, by bash or by any POSIX shell: its body
is one single-quoted word that a subshell evaluates with nothing on its stdin.
"""

import posixpath
import re
import shlex
from dataclasses import dataclass

from executor.local.project.assignment import Assignment
from executor.local.project.variables import Variable
from executor.local.runner.colours import GREEN, YELLOW, coloured
from executor.local.runner.directories import Directories
from executor.local.runner.job_variables import JobVariables
from executor.local.runner.registration import Registration

# `set -o` lists the options; only a shell that knows pipefail may be asked for it.
_SKELETON = """#!/usr/bin/env {shell}

trap 'exit 1' TERM

case "$(set -o)" in *pipefail*) set -o pipefail ;; esac
set -o errexit
set +o noclobber
{body}
exit 0
"""
_IN_A_SUBSHELL = "( trap 'exit 1' TERM; eval {lines} ) < /dev/null"
# bash ends it with 1, whatever the status of the command that failed was.
_IN_A_PIPE = ": | eval {lines}"
_FIRST_WITH_SUBSHELL = (19, 1)
_VERSION = re.compile(r"\d{1,9}")  # Python reads no number of thousands of digits


@dataclass(frozen=True, slots=True)
class ScriptContext:
    """What the scripts of one job are made from."""

    assignment: Assignment
    registration: Registration
    variables: JobVariables
    where: Directories
    shell: str
    is_coloured: bool = False

    def whole(self, body: list[str]) -> str:
        """Return a complete script around the lines of a body."""
        lines = "\n".join(body) + "\n"
        if self._evaluates_in_a_pipe():
            evaluated = _IN_A_PIPE.format(lines=shlex.quote(f"trap 'exit 1' TERM\n{lines}"))
        else:
            evaluated = _IN_A_SUBSHELL.format(lines=shlex.quote(lines))
        return _SKELETON.format(shell=self.shell, body=evaluated)

    def _evaluates_in_a_pipe(self) -> bool:
        """Tell whether this version of gitlab-runner has the lines in a pipe."""
        get = self.variables.get
        if get("FF_USE_LEGACY_BASH_EVAL") == "true":
            return True
        numbers = tuple(map(int, _VERSION.findall(get("CI_RUNNER_VERSION"))[:2]))
        is_old = numbers < _FIRST_WITH_SUBSHELL
        return is_old and get("FF_USE_NEW_BASH_EVAL_STRATEGY") != "true"

    def say(self, text: str, *, colour: str = "") -> str:
        """Return the command that prints a line."""
        shown = coloured(text, colour if self.is_coloured else "")
        return f"printf '%s\\n' {shlex.quote(shown)}"

    def exports(self, *, writes_files: bool = True) -> list[str]:
        """Return the commands that set all variables, and what GITLAB_ENV collected so far."""
        temporary = self.where.temporary
        lines = [f"mkdir -p {shlex.quote(temporary)}"] if writes_files else []
        for variable in self.variables.expanded():
            if not variable.file:
                lines.append(f"export {variable.key}={shlex.quote(variable.value)}")
                continue
            path = shlex.quote(posixpath.join(temporary, variable.key))
            if writes_files:
                lines.append(f"printf '%s' {shlex.quote(variable.value)} > {path}")
            lines.append(f"export {variable.key}={path}")
        if writes_files:
            lines += self._job_exports()
        return lines

    def _job_exports(self) -> list[str]:
        path = shlex.quote(gitlab_env_path(self.where))
        return [
            f"export GITLAB_ENV={path}",
            'touch "$GITLAB_ENV"',
            'while IFS= read -r line || [ -n "$line" ]; do export "$line"; done < "$GITLAB_ENV"',
        ]

    def file_variables(self) -> tuple[Variable, ...]:
        """Return the variables that are files in the job."""
        return tuple(variable for variable in self.variables.expanded() if variable.file)


def gitlab_env_path(where: Directories) -> str:
    """Return the file in which a job hands variables to its later scripts."""
    return posixpath.join(where.temporary, "gitlab_runner_env")


def credentials_path(where: Directories) -> str:
    """Return the file that keeps the job token out of git's arguments."""
    return posixpath.join(where.temporary, "git-credentials")


def git_config_path(where: Directories) -> str:
    """Return the file that tells git where the credentials are."""
    return posixpath.join(where.temporary, "git-config")


def prepare_script(context: ScriptContext, *, hostname: str = "") -> str:
    """Return the script that says where the job runs."""
    via = f" via {hostname}" if hostname else ""
    return context.whole(
        [
            f'echo "Running on $(hostname)"{shlex.quote(f"{via}...")}',
            f"rm -f {shlex.quote(gitlab_env_path(context.where))}",
        ]
    )


def build_script(context: ScriptContext) -> str:
    """Return the author's before_script and script."""
    registration = context.registration
    job = context.assignment.definition
    commands = [
        *_lines(registration.pre_build_script),
        *job.before_script,
        *job.script,
        *_lines(registration.post_build_script),
    ]
    return context.whole(_user_step(context, commands))


def after_script(context: ScriptContext) -> str:
    """Return the author's after_script."""
    said = context.say("Running after script...", colour=GREEN)
    return context.whole([said, *_user_step(context, context.assignment.definition.after_script)])


def cleanup_file_variables(context: ScriptContext) -> str:
    """Return the script that removes what must not outlive the job in the builds directory."""
    where = context.where
    names = [posixpath.join(where.temporary, item.key) for item in context.file_variables()]
    names += [gitlab_env_path(where), credentials_path(where), git_config_path(where)]
    return context.whole([f"rm -f {shlex.quote(name)}" for name in names])


def missing_runner(context: ScriptContext, action: str) -> str:
    """Return the command that says why artifacts stay where they are."""
    return context.say(f"Missing gitlab-runner. {action} is disabled.", colour=YELLOW)


def _lines(script: str) -> list[str]:
    return [script] if script.strip() else []


def _user_step(context: ScriptContext, commands: list[str] | tuple[str, ...]) -> list[str]:
    lines = [*context.exports(), f"cd {shlex.quote(context.where.project)}"]
    for command in commands:
        text = command.strip()
        if not text:
            continue
        first, newline, _ = text.partition("\n")
        shown = f"$ {first} # collapsed multi-line command" if newline else f"$ {text}"
        lines += [context.say(shown, colour=GREEN), text]
    return lines
