"""The sub-stages of a prepared job, in gitlab-runner's order."""

from collections.abc import Callable
from dataclasses import dataclass, field

from executor.local.project.assignment import Assignment
from executor.local.runner import (
    artifact_script,
    cache_script,
    git_script,
    script,
    sub_stage_limits,
)
from executor.local.runner.cancellation import Cancellation, JobCancellation, limited
from executor.local.runner.colours import CYAN, YELLOW
from executor.local.runner.directories import Directories, Slot
from executor.local.runner.hooks import Hooks
from executor.local.runner.job_log import JobLog
from executor.local.runner.job_variables import JobVariables, all_variables
from executor.local.runner.outcome import (
    SCRIPT_TIMED_OUT,
    STAGE_TIMED_OUT,
    ScriptFailure,
    Stopped,
    SystemFailure,
)
from executor.local.runner.registration import Registration
from executor.local.runner.script import ScriptContext

_AFTER_SCRIPT_SECONDS = 300
_TOO_LATE = (
    "could not run to completion because the timeout was exceeded. For more control over job "
    "and script timeouts see: https://docs.gitlab.com/ee/ci/runners/configure_runners.html"
    "#set-script-and-after_script-timeouts"
)

_TITLES = {
    "prepare_script": "Preparing environment",
    "get_sources": "Getting source from Git repository",
    "clear_worktree": "Deleting all tracked and untracked files due to source fetch failure",
    "restore_cache": "Restoring cache",
    "download_artifacts": "Downloading artifacts",
    "build_script": 'Executing "step_script" stage of the job script',
    "after_script": "Running after_script",
    "archive_cache": "Saving cache for successful job",
    "archive_cache_on_failure": "Saving cache for failed job",
    "upload_artifacts_on_success": "Uploading artifacts for successful job",
    "upload_artifacts_on_failure": "Uploading artifacts for failed job",
    "cleanup_file_variables": "Cleaning up project directory and file based variables",
}

Writer = Callable[[ScriptContext], str]
_CACHING: dict[str, tuple[str, Writer]] = {
    "on_success": ("archive_cache", cache_script.archive_cache),
    "on_failure": ("archive_cache_on_failure", cache_script.archive_cache_on_failure),
}
_UPLOADING: dict[str, tuple[str, Writer]] = {
    "on_success": ("upload_artifacts_on_success", artifact_script.upload_artifacts_on_success),
    "on_failure": ("upload_artifacts_on_failure", artifact_script.upload_artifacts_on_failure),
}


@dataclass(slots=True)
class LiveJob:
    """A job and what is known of it by now; its variables change with that."""

    assignment: Assignment
    registration: Registration
    slot: Slot
    log: JobLog
    cancellation: JobCancellation
    where: Directories = field(default_factory=Directories)
    status: str = "running"

    def variables(self) -> JobVariables:
        """Return all variables as they are now."""
        return all_variables(
            self.assignment, self.registration, self.slot, where=self.where, status=self.status
        )


class Execution:
    """The calls of `run` for one job."""

    def __init__(self, job: LiveJob, hooks: Hooks) -> None:
        self._job = job
        self._hooks = hooks

    def run(self) -> None:
        """Run all sub-stages; raise what the job failed of."""
        hostname = self._hooks.config.hostname
        self._run("prepare_script", lambda made: script.prepare_script(made, hostname=hostname))
        assignment = self._job.assignment
        failure: Exception | None = None
        try:
            self._try("get_sources", git_script.get_sources, git_script.clear_worktree)
            if cache_script.caches_to_restore(assignment.caches):
                self._try("restore_cache", cache_script.restore_cache)
            if assignment.dependencies:
                self._try("download_artifacts", artifact_script.download_artifacts)
            failure = self._user_scripts()
        except (ScriptFailure, SystemFailure) as error:
            failure = error
        failure = self._keep(failure)
        try:
            self._run("cleanup_file_variables", script.cleanup_file_variables)
        except (ScriptFailure, SystemFailure) as error:
            self._warn(f"Error while executing file based variables removal: {error}")
        if failure is not None:
            raise failure

    def _try(self, sub_stage: str, write: Writer, clear: Writer | None = None) -> None:
        """Run a sub-stage as often as the job's variables allow; clear up before the second."""
        most = sub_stage_limits.attempts(sub_stage, self._job.variables())
        for attempt in range(1, most + 1):
            try:
                if attempt == 2 and clear is not None:  # noqa: PLR2004
                    self._run("clear_worktree", clear)
                self._run(sub_stage, write)
            except (ScriptFailure, SystemFailure):
                if attempt == most:
                    raise
            else:
                return

    def _user_scripts(self) -> Exception | None:
        """Run script and after_script; a cancel from now on stops only the script."""
        job = self._job
        seconds, wrong = sub_stage_limits.stage_timeout("RUNNER_SCRIPT_TIMEOUT", job.variables(), 0)
        if wrong:
            self._warn(wrong)
        stopping = job.cancellation.begin_script()
        failure: Exception | None = None
        try:
            with limited(stopping, seconds, SCRIPT_TIMED_OUT):
                self._run("build_script", script.build_script, stopping)
        except (ScriptFailure, SystemFailure) as error:
            failure = error
        except Stopped as stopped:
            self._raise_if_over(stopped)
            canceled = "script canceled externally (UI, API)"
            self._warn(f"step_script {_TOO_LATE}" if stopped.is_late else canceled)
            failure = stopped
        job.status = _job_status(failure)
        if job.assignment.definition.after_script:
            failure = self._after_script(failure)
        return failure

    def _after_script(self, failure: Exception | None) -> Exception | None:
        variables = self._job.variables()
        key = "RUNNER_AFTER_SCRIPT_TIMEOUT"
        seconds, wrong = sub_stage_limits.stage_timeout(key, variables, _AFTER_SCRIPT_SECONDS)
        if wrong:
            self._warn(wrong)
        stopping = Cancellation(self._job.cancellation.whole)
        try:
            with limited(stopping, seconds, STAGE_TIMED_OUT):
                self._run("after_script", script.after_script, stopping)
        except (ScriptFailure, SystemFailure, Stopped) as error:
            if isinstance(error, Stopped):
                self._raise_if_over(error)
                self._warn(f"after_script {_TOO_LATE}")
            if not sub_stage_limits.ignores_after_script(variables):
                return failure or error
            self._warn(f"after_script failed, but job will continue unaffected: {error}")
        return failure

    def _keep(self, failure: Exception | None) -> Exception | None:
        """Save caches and artifacts whose `when` fits; an error here fails a job that had passed."""
        state = "on_success" if failure is None else "on_failure"
        assignment = self._job.assignment
        result = failure
        keeping: list[tuple[str, Writer]] = []
        if cache_script.caches_to_save(assignment.caches, state):
            keeping.append(_CACHING[state])
        if artifact_script.uploads(assignment.definition.artifacts, state):
            keeping.append(_UPLOADING[state])
        for sub_stage, write in keeping:
            try:
                self._run(sub_stage, write)
            except (ScriptFailure, SystemFailure) as error:
                result = result or error
        return result

    def _run(
        self,
        sub_stage: str,
        write: Writer,
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
            assignment=job.assignment,
            registration=job.registration,
            variables=variables,
            where=job.where,
            shell=self._hooks.config.shell,
            is_coloured=job.log.is_coloured,
        )
        self._hooks.run(sub_stage, write(context), variables, scope)

    def _raise_if_over(self, stopped: Stopped) -> None:
        if self._job.cancellation.whole.reason:
            raise stopped

    def _warn(self, text: str) -> None:
        self._job.log.say(f"WARNING: {text}", colour=YELLOW)


def _job_status(failure: Exception | None) -> str:
    if failure is None:
        return "success"
    if not isinstance(failure, Stopped):
        return "failed"
    return "timedout" if failure.is_late else "canceled"
