"""Whatever happens, the exit code says what gitlab-runner must believe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import executor
from tests.commanding import BUILD_FAILURE, CALL, ENVIRONMENT, SYSTEM_FAILURE, call, raising

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

    assert done.stderr.startswith("ERROR: dind-executor failed with an unexpected ValueError at ")
    assert "Please report" in done.stderr


@pytest.mark.parametrize(
    "before",
    [
        "sys.modules['executor.cli'] = None",
        "sys.modules['executor.errors'] = None",
        "sys.modules['executor.stages.config'] = None",
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
