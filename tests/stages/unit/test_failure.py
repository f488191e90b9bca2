"""What is told of a stage that failed."""

import errno
from pathlib import Path

import pytest

from executor.errors import PolicyViolation, ResourceExhausted, SettingsError
from executor.log import AdministratorLog
from executor.runner.environ import RunnerEnv
from executor.stages.failure import meant, tell


@pytest.fixture
def env(tmp_path: Path) -> RunnerEnv:
    """Return the environment of a stage whose codes are its own."""
    codes = {"BUILD_FAILURE_EXIT_CODE": "41", "SYSTEM_FAILURE_EXIT_CODE": "42"}
    return RunnerEnv({**codes, "TMPDIR": str(tmp_path)})


def test_the_class_decides_the_exit_code(env: RunnerEnv, capfd: pytest.CaptureFixture[str]) -> None:
    """The sentence is the error's own."""
    codes = [
        tell(error("No."), env, AdministratorLog("run"))
        for error in (PolicyViolation, SettingsError)
    ]

    assert codes == [41, 42]
    assert capfd.readouterr().err == "ERROR: No.\n" * 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(env: RunnerEnv, capfd: pytest.CaptureFixture[str], number: int) -> None:
    """It is named by the file that found no room, or else by the job's temporary directory."""
    named = OSError(number, "text", "/a/file")
    log = AdministratorLog("run")

    for each in (named, OSError(number, "text")):
        found = meant(each, env, log)
        assert isinstance(found, ResourceExhausted)
        assert tell(found, env, log) == 42
    told = capfd.readouterr().err
    assert " in /a/file. Free space there" in told
    assert f" in {env.temp_dir}. Free space there" in told
    assert "text" not in told


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "text"), ValueError("text")])
def test_another_error_is_ours(
    env: RunnerEnv, capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    """Nothing is said of it here: it is noted, and goes on."""
    assert meant(error, env, AdministratorLog("run")) is None
    assert capfd.readouterr().err == ""
