"""The scripts of the sub-stages, run by real shells."""

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.project.variables import Variable
from executor.local.runner import script
from tests.local.samples import REGISTRATION, SLOT, an_assignment
from tests.local.unit.runner.scripts import a_context, run

SHELLS = ["bash", "dash", "busybox sh"]


NASTY = "a'b\"c`d$e\\f\ng!h{i}*~ é"


@pytest.mark.parametrize("shell", SHELLS)
def test_values_arrive_as_they_are(tmp_path: Path, shell: str) -> None:
    """A value keeps its quotes, newlines and dollars, also in a file."""
    assignment = an_assignment(
        Variable("NASTY", NASTY, raw=True),
        Variable("CONF", NASTY, file=True, raw=True),
        script=('printf "%s|" "$NASTY"', 'cat "$CONF"', "echo '|'\"it's\""),
    )
    done = run(script.build_script(a_context(tmp_path, assignment)), shell)
    assert done.returncode == 0, done.stderr
    assert f"{NASTY}|" in done.stdout
    assert f"\n{NASTY}" in done.stdout
    assert done.stdout.endswith("|it's\n")


@pytest.mark.parametrize(
    ("version", "flag", "in_bash"),
    [
        ("17.9.0", (), 1),
        ("17.9.0", (("FF_USE_NEW_BASH_EVAL_STRATEGY", "true"),), 42),
        ("19.0.1", (), 1),
        ("19.1.0", (), 42),
        ("19.3.0~pre.1", (), 42),
        ("9" * 5000, (), 42),
        ("19.3.0", (("FF_USE_LEGACY_BASH_EVAL", "1"),), 1),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_failing_command_ends_the_script_with_the_status_of_that_version(
    tmp_path: Path, shell: str, version: str, flag: tuple[tuple[str, str], ...], in_bash: int
) -> None:
    """Commands after a failing one do not run; under gitlab-runner before 19.1, bash says 1."""
    variables = (Variable(*each) for each in flag)
    assignment = an_assignment(*variables, script=("echo before", "( exit 42 )", "echo after"))
    context = a_context(tmp_path, assignment, slot=replace(SLOT, runner_version=version))
    done = run(script.build_script(context), shell)
    assert done.returncode == (in_bash if shell == "bash" else 42)
    assert "before\n" in done.stdout
    assert "\nafter" not in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_an_exit_ends_the_script_with_its_status(tmp_path: Path, shell: str) -> None:
    """Also in bash, whatever the version of gitlab-runner is."""
    assignment = an_assignment(script=("exit 42",))
    assert run(script.build_script(a_context(tmp_path, assignment)), shell).returncode == 42


def test_a_failing_pipe_fails_where_the_shell_can_tell(tmp_path: Path) -> None:
    """The scripts ask a shell that knows it for pipefail."""
    assignment = an_assignment(script=("false | true", "echo after"))
    done = run(script.build_script(a_context(tmp_path, assignment)))
    assert done.returncode == 1
    assert "\nafter" not in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_reads_nothing(tmp_path: Path, shell: str) -> None:
    """It cannot eat the rest of a script that comes from stdin."""
    assignment = an_assignment(script=("cat", "echo done"))
    done = run(script.build_script(a_context(tmp_path, assignment)), shell)
    assert done.stdout == "$ cat\n$ echo done\ndone\n"


def test_commands_are_shown_before_they_run(tmp_path: Path) -> None:
    """A command of several lines is collapsed; before_script comes first."""
    assignment = an_assignment(before_script=("echo 1",), script=("echo 2\necho 3\n", "   "))
    done = run(script.build_script(a_context(tmp_path, assignment)))
    assert done.stdout == "$ echo 1\n1\n$ echo 2 # collapsed multi-line command\n2\n3\n"


def test_the_runners_own_scripts_stand_around_the_authors(tmp_path: Path) -> None:
    """pre_build_script runs before the author's script and post_build_script after it."""
    registration = replace(REGISTRATION, pre_build_script="echo pre", post_build_script="echo post")
    assignment = an_assignment(script=("echo mid",))
    done = run(script.build_script(a_context(tmp_path, assignment, registration)))
    lines = [line for line in done.stdout.splitlines() if not line.startswith("$")]
    assert lines == ["pre", "mid", "post"]


@pytest.mark.parametrize("shell", SHELLS)
def test_gitlab_env_reaches_the_next_script_and_runs_nothing(tmp_path: Path, shell: str) -> None:
    """Each line is a variable, not a command."""
    first = an_assignment(script=("echo 'KEPT=a $(echo b)' >> \"$GITLAB_ENV\"",))
    context = a_context(tmp_path, first)
    assert run(script.prepare_script(context), shell).returncode == 0
    assert run(script.build_script(context), shell).returncode == 0
    second = an_assignment(after_script=('echo "<$KEPT>"',))
    done = run(script.after_script(a_context(tmp_path, second)), shell)
    assert "<a $(echo b)>" in done.stdout


def test_a_new_job_forgets_gitlab_env(tmp_path: Path) -> None:
    """prepare_script removes what an earlier job left."""
    context = a_context(tmp_path, an_assignment(script=('echo "KEPT=1" >> "$GITLAB_ENV"',)))
    run(script.build_script(context))
    assert Path(script.gitlab_env_path(context.where)).exists()
    done = run(script.prepare_script(context, hostname="a host"))
    assert " via a host...\n" in done.stdout
    assert not Path(script.gitlab_env_path(context.where)).exists()


def test_secrets_are_removed_at_the_end(tmp_path: Path) -> None:
    """File variables and the job token leave the builds directory."""
    assignment = an_assignment(Variable("CONF", "secret", file=True), script=("true",))
    context = a_context(tmp_path, assignment)
    assert run(script.build_script(context)).returncode == 0
    temporary = Path(context.where.temporary)
    assert (temporary / "CONF").read_text() == "secret"
    assert run(script.cleanup_file_variables(context)).returncode == 0
    assert list(temporary.iterdir()) == []


def test_sigterm_ends_a_script_and_shows_none_of_it(tmp_path: Path) -> None:
    """The job log must not show the script, which holds every variable.

    The command that is stopped has its own signals when the marker comes: between fork and exec a child of
    bash has the trap of the script, and a signal then is lost with it.
    """
    marker = tmp_path / "started"
    assignment = an_assignment(
        Variable("TOKEN", "hunter22", masked=True),
        script=(f"sh -c 'touch {marker}; exec sleep 60'",),
    )
    path = tmp_path / "script"
    path.write_text(script.build_script(a_context(tmp_path, assignment)))
    process = subprocess.Popen(
        ["bash", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    while not marker.exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "hunter22" not in stdout + stderr


def test_scripts_have_colour_only_if_wanted(tmp_path: Path) -> None:
    """A file or a pipe gets no escape sequences."""
    context = a_context(tmp_path, an_assignment(script=("true",)))
    assert "\x1b" not in run(script.build_script(context)).stdout
    coloured = replace(context, is_coloured=True)
    assert run(script.build_script(coloured)).stdout == "\x1b[32;1m$ true\x1b[0;m\n"
