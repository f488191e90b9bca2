"""What can go wrong, and whose fault it is: an exception's class decides the exit code.

gitlab-runner tells two failures apart by the exit code of a stage.  A *build failure* is for the job
author to fix.  A *system failure* is for the administrator, and gitlab-runner tries prepare three
times.
`executor.__main__` alone turns a class into a number.
"""

BUILD_FAILURE = "build failure"
SYSTEM_FAILURE = "system failure"


class ExecutorError(Exception):
    """A failure we understand.

    Its text is one sentence for the job log: the culprit and the remedy.
    """

    outcome = SYSTEM_FAILURE


class BuildFailure(ExecutorError):
    """For the job author to fix; gitlab-runner does not try prepare again."""

    outcome = BUILD_FAILURE


class ScriptFailed(BuildFailure):
    """The script of a sub-stage ended with a status other than 0."""

    def __init__(self, exit_code: int) -> None:
        """Keep the status; gitlab-runner prints the sentence itself."""
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class PolicyViolation(BuildFailure):
    """The job asks for what the administrator's settings do not allow."""


class ImageUnavailable(BuildFailure):
    """The registry says that the image does not exist or that the job may not have it."""


class UnusableImage(BuildFailure):
    """The image was pulled and cannot run scripts: no shell, or an entrypoint that never hands over."""


class NoShell(UnusableImage):
    """A service was to start by a `sh`, and its image has none."""


class ServiceConflict(BuildFailure):
    """Two services claim one name, or one that is not dind claims the name `docker`."""


class UnsupportedJobOption(BuildFailure):
    """The job sets an option to something that dind-executor cannot do."""


class DiskOverrun(BuildFailure):
    """The job was ended because it filled the disk that all jobs share."""


class SystemFailure(ExecutorError):
    """For the administrator to fix, or for nobody; gitlab-runner tries prepare three times."""


class SettingsError(SystemFailure):
    """The settings file is missing, unreadable or wrong; the text lists every mistake."""


class JobPayloadError(SystemFailure):
    """JOB_RESPONSE_FILE is missing or not what gitlab-runner writes."""


class EngineUnavailable(SystemFailure):
    """The Docker Engine does not answer."""


class EngineRefused(SystemFailure):
    """The engine refused a request in a way that nothing else here explains."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep the engine's own words and its HTTP status."""
        super().__init__(message)
        self.status = status


class PullInterrupted(SystemFailure):
    """The registry did not answer or broke off, also after our own tries."""


class RegistryDown(PullInterrupted):
    """The registry cannot be reached or does not serve; it has refused nothing."""


class ResourceExhausted(SystemFailure):
    """The host has no disk space or no free subnet left."""


class ServiceNotReady(SystemFailure):
    """The dind sidecar did not come up; the text carries its last log lines and the likely cause."""


class EnvironmentLost(SystemFailure):
    """A container of the job is gone or the stream to it broke while a script ran."""


class ContainerLost(EnvironmentLost):
    """A container of the job is gone or has ended; another one may take its place."""

    def __init__(
        self, message: str, *, begun: bool, removed: bool = False, exit_code: int | None = None
    ) -> None:
        """Keep whether the script had begun; else running it elsewhere repeats nothing.

        `removed` tells whether the container is gone, `exit_code` how its own script ended it.
        """
        super().__init__(message)
        self.begun = begun
        self.removed = removed
        self.exit_code = exit_code


class Cancelled(SystemFailure):
    """gitlab-runner sent SIGTERM; what the exit code says then does not matter to it."""
