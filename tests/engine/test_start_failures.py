"""The engine's words on a container that did not start → our errors."""

import pytest

from executor.engine.start_failures import create_failure
from executor.errors import (
    EngineRefused,
    ExecutorError,
    NoShell,
    SettingsError,
    UnsupportedJobOption,
    UnusableImage,
)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (
            400,
            'unable to start container process: exec: "sh": executable file not found in $PATH',
            UnusableImage,
        ),
        (
            400,
            'container process caused: exec: "/nowhere": stat /nowhere: no such file or directory',
            UnusableImage,
        ),
        (400, "network job is ambiguous (2 matches found on name)", EngineRefused),
        (400, "invalid reference format", UnsupportedJobOption),
        (400, "Duplicate mount point: /builds", UnsupportedJobOption),
        (
            400,
            "unable to find user nobody-there: no matching entries in passwd file",
            UnusableImage,
        ),
        (500, "unable to find group nogr: no matching entries in group file", UnusableImage),
        (404, "network dind-executor-1 not found", EngineRefused),
        (409, "the name is in use", EngineRefused),
        (404, "No such container: job-build", EngineRefused),
        (
            400,
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            SettingsError,
        ),
        (400, "Minimum memory limit allowed is 6MB", SettingsError),
        (400, "Unknown runtime specified kata", SettingsError),
        (400, "unknown or invalid runtime name: kata", SettingsError),
        (400, "No such container: data", SettingsError),
        (400, 'invalid CapAdd: unknown capability: "CAP_X"', SettingsError),
        (500, 'could not select device driver "" with capabilities: [[gpu]]', SettingsError),
        (
            500,
            'error gathering device information while adding custom device "/dev/kvm": no such file',
            SettingsError,
        ),
        (500, "error setting rlimit type 7: operation not permitted", SettingsError),
        (500, "runc: unable to apply caps: operation not permitted", EngineRefused),
        (500, "mkdir /x: no such file or directory", EngineRefused),
        (500, "error while creating mount source path '/x': read-only file system", EngineRefused),
        # the name of a volume of ours has "exec" in it
        (500, "lstat /v/dind-executor-1-builds/_data: no such file or directory", EngineRefused),
    ],
)
def test_containers(status: int, message: str, expected: type[ExecutorError]) -> None:
    """The words tell whether the image, an option of the job or the engine is at fault."""
    error = create_failure("job-build", "a:1", status, message)

    assert type(error) is expected
    assert message.partition("\n")[0].rstrip(".") in str(error)
    if isinstance(error, EngineRefused):
        assert error.status == status


def test_a_service_without_a_shell_says_what_needs_one() -> None:
    """Its author may know of no shell."""
    message = 'unable to start container process: exec: "sh": executable file not found in $PATH'
    error = create_failure("job-service-0", "a:1", 400, message, runs_scripts=False)

    assert type(error) is NoShell
    assert "its image has no `sh`" in str(error)
    assert "`command` or `entrypoint` that calls it" in str(error)


def test_a_host_without_privileges_names_the_setting() -> None:
    """The administrator reads what to change."""
    error = create_failure("job-dind", "docker:dind", 500, "operation not permitted")

    assert "`[dind] runtime`" in str(error)


def test_a_directory_that_cannot_be_mounted_names_the_settings() -> None:
    """Only the administrator says what of the host is mounted."""
    refusal = "error while creating mount source path '/proc/x': mkdir /proc/x: no such file"

    error = create_failure("job-helper", "a:1", 500, refusal)

    assert "'/proc/x'" in str(error)
    assert "`cache_dir` and `volumes`" in str(error)


def test_an_unknown_user_names_all_who_may_have_said_it() -> None:
    """The job, the image or the settings name a user; each reads where."""
    message = "unable to find user nobody-there: no matching entries in passwd file"

    error = create_failure("job-build", "a:1", 400, message)

    assert all(
        each in str(error) for each in ("`docker: user`", "the image itself", "`[docker] user`")
    )
