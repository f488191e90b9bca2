"""What a stage may load: gitlab-runner starts a fresh process for each of 7 to 12 calls a job."""

import subprocess
import sys

import pytest

HEAVY = {"docker", "gitlab", "requests", "urllib3", "structlog", "yaml", "rich", "asyncio"}
SLOW = {
    *HEAVY,
    "cryptography",
    "dataclasses",
    "tomllib",
    "logging",
    "http.client",
    "pathlib",
    "ssl",
    "subprocess",
    "threading",
    "hashlib",
    "typing",
}


def loaded(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after a statement."""
    program = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_run_loads_only_what_is_cheap() -> None:
    """Everything on the way to the script, the log included."""
    modules = loaded("import executor.__main__, executor.cli, executor.stages.run")

    assert "executor.engine.script" in modules
    assert sorted(modules & SLOW) == []
    assert "executor.settings" not in modules
    assert "executor.job" not in modules


@pytest.mark.parametrize("stage", ["config", "prepare", "cleanup"])
def test_no_stage_loads_an_sdk(stage: str) -> None:
    """structlog comes in the background, and the SDKs not at all."""
    modules = loaded(f"import executor.cli, executor.stages.{stage}")

    assert f"executor.stages.{stage}" in modules
    assert sorted(modules & HEAVY) == []


@pytest.mark.parametrize(
    "module", ["plan", "containers", "services", "images", "credentials", "names", "settings"]
)
def test_what_decides_does_nothing(module: str) -> None:
    """The pure modules load nothing that could reach an engine, a process or the network."""
    modules = loaded(f"import executor.{module}")

    assert f"executor.{module}" in modules
    assert sorted(modules & {*HEAVY, "subprocess", "http.client", "ssl", "executor.cli"}) == []
    assert not [each for each in modules if each.startswith("executor.stages")]
