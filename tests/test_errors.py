"""An error's class decides the exit code."""

import pytest

from executor import errors
from tests.commanding import BUILD_FAILURE, SYSTEM_FAILURE, call, raising

BUILD_FAILURES = [
    "PolicyViolation('a. b')",
    "ImageUnavailable('a. b')",
    "UnusableImage('a. b')",
    "NoShell('a. b')",
    "ServiceConflict('a. b')",
    "UnsupportedJobOption('a. b')",
    "DiskOverrun('a. b')",
]


SYSTEM_FAILURES = [
    "SettingsError('a. b')",
    "JobPayloadError('a. b')",
    "EngineUnavailable('a. b')",
    "EngineRefused('a. b', 500)",
    "PullInterrupted('a. b')",
    "RegistryDown('a. b')",
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
