"""From a command to its exit code: whatever happens, 1 only ever means the author's fault."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

import executor
from executor import errors
from executor.settings.file import read_settings

BUILD_FAILURE, SYSTEM_FAILURE = 41, 42
"""Not the usual 1 and 2: the numbers are gitlab-runner's to choose, and 1 is Python's own."""

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE),
    "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE),
}

CALL = """\
import sys
{before}
from executor.__main__ import main
sys.argv[1:] = {args!r}
main()
"""


def call(
    *args: str,
    before: str = "",
    env: Mapping[str, str] = ENVIRONMENT,
    output: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, after some preparation of that process."""
    return subprocess.run(
        [sys.executable, "-I", "-c", CALL.format(before=before, args=list(args))],
        env=env,
        stdout=output,
        stderr=output,
        text=True,
        check=False,
        timeout=60,
    )


def raising(expression: str, stage: str = "config") -> str:
    """Return code that makes a stage raise something."""
    return (
        f"from executor import errors\nfrom executor.stages import {stage}\n"
        f"def stage_main(env, args, log): raise {expression}\n"
        f"{stage}.main = stage_main"
    )


BUILD_FAILURES = [
    "PolicyViolation('a. b')",
    "ImageUnavailable('a. b')",
    "UnusableImage('a. b')",
    "ServiceConflict('a. b')",
    "UnsupportedJobOption('a. b')",
]
SYSTEM_FAILURES = [
    "SettingsError('a. b')",
    "JobPayloadError('a. b')",
    "EngineUnavailable('a. b')",
    "EngineRefused('a. b', 500)",
    "PullInterrupted('a. b')",
    "ResourceExhausted('a. b')",
    "ServiceNotReady('a. b')",
    "EnvironmentLost('a. b')",
    "ContainerLost('a. b', begun=True)",
]


@pytest.mark.parametrize("stage", ["config", "prepare", "run", "cleanup"])
@pytest.mark.parametrize(
    ("expression", "code"),
    [(each, BUILD_FAILURE) for each in BUILD_FAILURES]
    + [(each, SYSTEM_FAILURE) for each in SYSTEM_FAILURES],
)
def test_an_errors_class_decides_the_exit_code(expression: str, code: int, stage: str) -> None:
    """The job log has its sentence on stderr; stdout, which config's JSON needs, stays empty."""
    done = call(stage, before=raising(f"errors.{expression}", stage))

    assert (done.returncode, done.stdout, done.stderr) == (code, "", "ERROR: a. b\n")


def test_every_class_of_error_is_tried_here() -> None:
    """A class that is added has an outcome that somebody thought of."""
    tried = {each.partition("(")[0] for each in BUILD_FAILURES + SYSTEM_FAILURES}
    known = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.ExecutorError)
    }

    assert known - tried == {
        "ExecutorError",
        "BuildFailure",
        "SystemFailure",
        "ScriptFailed",
        "Cancelled",
    }


def test_a_failed_script_needs_no_words() -> None:
    """gitlab-runner prints the sentence itself."""
    done = call("run", before=raising("errors.ScriptFailed(7)", "run"))

    assert (done.returncode, done.stdout, done.stderr) == (BUILD_FAILURE, "", "")


def test_a_cancelled_stage_needs_no_words() -> None:
    """gitlab-runner says itself that the author pressed the button."""
    done = call("run", before=raising("errors.Cancelled('x')", "run"))

    assert (done.returncode, done.stdout, done.stderr) == (SYSTEM_FAILURE, "", "")


UNEXPECTED = [
    "ValueError('hunter2')",
    "KeyError('hunter2')",
    "OSError(28, 'hunter2')",
    "RecursionError('hunter2')",
    "MemoryError()",
    "ImportError('hunter2')",
    "AssertionError('hunter2')",
    "SystemExit('hunter2')",
    "SystemExit(None)",
    "SystemExit(1)",
    "BaseException('hunter2')",
    "GeneratorExit()",
    "KeyboardInterrupt()",
]


@pytest.mark.parametrize("expression", UNEXPECTED)
def test_a_fault_of_ours_is_never_the_authors(expression: str) -> None:
    """It is no success either, and the exception's text, which may be a secret, stays unsaid."""
    done = call("config", before=raising(expression))

    assert done.returncode == SYSTEM_FAILURE
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_fault_of_ours_is_named_with_its_place() -> None:
    """The stage prints one line that a report can begin with."""
    done = call("config", before=raising("ValueError('hunter2')"))

    assert done.stderr.startswith("ERROR: dind-executor met an unexpected ValueError at ")
    assert "please report" in done.stderr


@pytest.mark.parametrize(
    "before",
    [
        "sys.modules['executor.cli'] = None",
        "sys.modules['executor.errors'] = None",
        "sys.modules['executor.stages.config'] = None",
        "sys.modules['json'] = None",
    ],
)
def test_a_broken_install_is_a_system_failure(before: str) -> None:
    """Python would exit with 1 where a module is missing."""
    done = call("config", before=before)

    assert done.returncode == SYSTEM_FAILURE
    assert "unexpected ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("value", ["", "many", "-1", "2.0"])
def test_exit_codes_that_are_none(value: str) -> None:
    """The defaults of gitlab-runner hold where it hands over no numbers."""
    environment = {**ENVIRONMENT, "SYSTEM_FAILURE_EXIT_CODE": value}

    for expression in ("ValueError()", "SystemExit('x')", "errors.SettingsError('a')"):
        assert call("config", before=raising(expression), env=environment).returncode == 2


def test_exit_codes_without_gitlab_runner() -> None:
    """A stage that is called by hand uses the numbers that gitlab-runner uses."""
    environment = {"PATH": os.environ["PATH"]}

    build = call("config", before=raising("errors.PolicyViolation('a')"), env=environment)
    system = call("config", before=raising("ValueError()"), env=environment)

    assert (build.returncode, system.returncode) == (1, 2)


@pytest.mark.parametrize("closed", [[1], [2], [1, 2], [0, 1, 2]])
@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("errors.SettingsError('a')", SYSTEM_FAILURE),
        ("errors.PolicyViolation('a')", BUILD_FAILURE),
        ("ValueError('a')", SYSTEM_FAILURE),
    ],
)
def test_nobody_listens(closed: list[int], expression: str, code: int) -> None:
    """Closed descriptors change no exit code."""
    redirections = " ".join(f"{number}>&-" for number in closed)
    program = CALL.format(before=raising(expression), args=["config"])

    done = subprocess.run(
        ["sh", "-c", f'"$0" -I -c "$1" {redirections}', sys.executable, program],
        env=ENVIRONMENT,
        check=False,
        timeout=60,
    )

    assert done.returncode == code


def test_a_pipe_that_nobody_reads() -> None:
    """gitlab-runner may be gone, and the stage ends all the same."""
    reading, writing = os.pipe()
    os.close(reading)

    done = call("config", before=raising("ValueError('a')"), output=writing)
    os.close(writing)

    assert done.returncode == SYSTEM_FAILURE


SENDS_TERM = """\
import os, signal, time
from executor.stages import {stage}
def stage_main(env, args, log):
    {act}
{stage}.main = stage_main
"""
KILL = "os.kill(os.getpid(), signal.SIGTERM)"


@pytest.mark.parametrize("stage", ["config", "prepare", "run"])
def test_term_ends_a_stage(stage: str) -> None:
    """The stage ends at once and says nothing."""
    before = SENDS_TERM.format(stage=stage, act=f"{KILL}; time.sleep(30)")

    done = call(stage, before=before)

    assert (done.returncode, done.stderr) == (SYSTEM_FAILURE, "")


def test_term_does_not_end_cleanup() -> None:
    """What was begun is finished: gitlab-runner would call nobody else."""
    before = SENDS_TERM.format(stage="cleanup", act=f"{KILL}; print('cleaned up')")

    done = call("cleanup", before=before)

    assert (done.returncode, done.stdout) == (0, "cleaned up\n")


def test_a_second_term_does_not_interrupt_the_first() -> None:
    """What a stage does about the first one is finished."""
    act = f"""
    try:
        {KILL}; time.sleep(30)
    finally:
        {KILL}; print('finished')
    """
    done = call("prepare", before=SENDS_TERM.format(stage="prepare", act=act))

    assert (done.returncode, done.stdout, done.stderr) == (SYSTEM_FAILURE, "finished\n", "")


@pytest.mark.parametrize("where", ["log.event", "log.close"])
def test_a_term_while_a_failure_is_reported(where: str) -> None:
    """The signal may come at any moment, also when a stage has failed or succeeded already."""
    name = where.partition(".")[2]
    before = f"""
import os, signal
from executor.log import AdministratorLog
real = AdministratorLog.{name}
def late(self, *args, **facts):
    {KILL}
    return real(self, *args, **facts)
AdministratorLog.{name} = late
{raising("errors.PolicyViolation('a')")}
"""
    done = call("config", before=before)

    assert done.returncode in {BUILD_FAILURE, SYSTEM_FAILURE}
    assert "unexpected" not in done.stderr


# --- commands that a person types -------------------------------------------------------------


def test_version() -> None:
    """The version is the package's."""
    done = call("--version")

    assert (done.returncode, done.stdout) == (0, f"dind-executor {executor.__version__}\n")


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"], []])
def test_help(args: list[str]) -> None:
    """All commands are named, and help is what one gets without any."""
    done = call(*args)

    assert (done.returncode, done.stderr) == (0, "")
    for command in ("local", "settings", "install", "--version", "config, prepare, run, cleanup"):
        assert command in done.stdout


def test_settings_are_settings() -> None:
    """The documented defaults are a file that a stage takes."""
    done = call("settings")

    assert done.returncode == 0
    assert tomllib.loads(done.stdout) is not None
    assert read_settings(done.stdout, "x") == read_settings("", "x")


def test_a_command_that_is_none() -> None:
    """The sentence names it and where to look."""
    done = call("perpare")

    assert (done.returncode, done.stdout) == (2, "")
    assert "no command `perpare`" in done.stderr


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    """`python -m executor` works from any directory, whatever lies there."""
    (tmp_path / "json.py").write_text("raise SystemExit(1)")
    (tmp_path / "executor").mkdir()

    done = subprocess.run(
        [sys.executable, "-I", "-m", "executor", "--version"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (0, f"dind-executor {executor.__version__}\n")


def test_the_unexpected_goes_to_the_operators_log(tmp_path: Path) -> None:
    """The log has the place of the fault, and not its text."""
    path = tmp_path / "operator.log"
    before = (
        "from executor.stages import config\n"
        "def stage_main(env, args, log):\n"
        f"    log.open('file:{path}', 1, 2)\n"
        "    raise ValueError('hunter2')\n"
        "config.main = stage_main"
    )

    done = call("config", before=before)

    assert done.returncode == SYSTEM_FAILURE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["event"] for each in lines] == ["unexpected error", "stage ended"]
    assert "ValueError at " in lines[0]["traceback"]
    assert "stage_main" in lines[0]["traceback"]
    assert "hunter2" not in path.read_text()
