"""The sub-stages of a prepared job, in gitlab-runner's order."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from executor.local import artifact_script, git_script, script
from executor.local.cancellation import Cancellation, JobCancellation
from executor.local.driver import Driver
from executor.local.environment import Directories, JobVariables, Slot, all_variables
from executor.local.outcome import DriverFailure, ScriptFailure, Stopped
from executor.local.output import CYAN, YELLOW, JobLog
from executor.local.registration import Registration
from executor.local.request import JobRequest
from executor.local.script import ScriptContext

_AFTER_SCRIPT_SECONDS = 300

_TITLES = {
    "prepare_script": "Preparing environment",
    "get_sources": "Getting source from Git repository",
    "download_artifacts": "Downloading artifacts",
    "build_script": 'Executing "step_script" stage of the job script',
    "after_script": "Running after_script",
    "upload_artifacts_on_success": "Uploading artifacts for successful job",
    "upload_artifacts_on_failure": "Uploading artifacts for failed job",
    "cleanup_file_variables": "Cleaning up project directory and file based variables",
}


@dataclass(slots=True)
class LiveJob:
    """A job and what is known of it by now; its variables change with that."""

    request: JobRequest
    registration: Registration
    slot: Slot
    log: JobLog
    cancellation: JobCancellation
    where: Directories = field(default_factory=Directories)
    status: str = "running"

    def variables(self) -> JobVariables:
        """Return all variables as they are now."""
        return all_variables(
            self.request, self.registration, self.slot, where=self.where, status=self.status
        )


class Execution:
    """The calls of `run` for one job."""

    def __init__(self, job: LiveJob, driver: Driver) -> None:
        self._job = job
        self._driver = driver

    def run(self) -> None:
        """Run all sub-stages; raise what the job failed of."""
        hostname = self._driver.config.hostname
        self._run("prepare_script", lambda made: script.prepare_script(made, hostname=hostname))
        failure: Exception | None = None
        try:
            self._run("get_sources", git_script.get_sources)
            if self._job.request.dependencies:
                self._run("download_artifacts", artifact_script.download_artifacts)
            failure = self._user_scripts()
        except (ScriptFailure, DriverFailure) as error:
            failure = error
        failure = self._upload(failure)
        try:
            self._run("cleanup_file_variables", script.cleanup_file_variables)
        except (ScriptFailure, DriverFailure) as error:
            self._warn(f"Error while executing file based variables removal: {error}")
        if failure is not None:
            raise failure

    def _user_scripts(self) -> Exception | None:
        """Run script and after_script; a cancel from now on stops only the script."""
        stopping = self._job.cancellation.begin_script()
        failure: Exception | None = None
        try:
            self._run("build_script", script.build_script, stopping)
        except (ScriptFailure, DriverFailure) as error:
            failure = error
        except Stopped as stopped:
            self._raise_if_over(stopped)
            self._warn("script canceled externally (UI, API)")
            failure = stopped
        self._job.status = _job_status(failure)
        if self._job.request.definition.after_script:
            self._after_script()
        return failure

    def _after_script(self) -> None:
        stopping = Cancellation(self._job.cancellation.whole)
        timer = threading.Timer(_AFTER_SCRIPT_SECONDS, stopping.request, ("it took too long",))
        timer.daemon = True
        timer.start()
        try:
            self._run("after_script", script.after_script, stopping)
        except (ScriptFailure, DriverFailure, Stopped) as error:
            if isinstance(error, Stopped):
                self._raise_if_over(error)
            self._warn(f"after_script failed, but job will continue unaffected: {error}")
        finally:
            timer.cancel()

    def _upload(self, failure: Exception | None) -> Exception | None:
        """Keep artifacts if their `when` fits; a failed upload fails a job that had passed."""
        kept = self._job.request.definition.artifacts
        state = "on_success" if failure is None else "on_failure"
        if kept is None or kept.when not in (state, "always"):
            return failure
        try:
            self._run(f"upload_artifacts_{state}", artifact_script.upload_artifacts)
        except (ScriptFailure, DriverFailure) as error:
            return failure or error
        return failure

    def _run(
        self,
        sub_stage: str,
        write: Callable[[ScriptContext], str],
        cancellation: Cancellation | None = None,
    ) -> None:
        """Have one sub-stage run."""
        job = self._job
        scope = cancellation or job.cancellation.whole
        if scope.reason:
            raise Stopped(scope.reason)
        job.log.say(_TITLES[sub_stage], colour=CYAN)
        variables = job.variables()
        context = ScriptContext(
            request=job.request,
            registration=job.registration,
            variables=variables,
            where=job.where,
            shell=self._driver.config.shell,
            is_coloured=job.log.is_coloured,
        )
        self._driver.run(sub_stage, write(context), variables, scope)

    def _raise_if_over(self, stopped: Stopped) -> None:
        if self._job.cancellation.whole.reason:
            raise stopped

    def _warn(self, text: str) -> None:
        self._job.log.say(f"WARNING: {text}", colour=YELLOW)


def _job_status(failure: Exception | None) -> str:
    if failure is None:
        return "success"
    return "canceled" if isinstance(failure, Stopped) else "failed"
