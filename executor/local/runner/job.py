"""One job's life, as gitlab-runner leads it: three tries to prepare, the sub-stages, cleanup."""

import threading
from dataclasses import replace

from executor.local.project.assignment import Assignment
from executor.local.runner import git_script
from executor.local.runner.cancellation import JobCancellation, limited
from executor.local.runner.colours import CYAN, GREEN, RED, YELLOW
from executor.local.runner.directories import Slot, directories
from executor.local.runner.execution import Execution, LiveJob
from executor.local.runner.hooks import Hooks
from executor.local.runner.job_log import JobLog
from executor.local.runner.job_variables import with_expanded_names
from executor.local.runner.outcome import (
    JOB_TIMED_OUT,
    ConfigurationFailure,
    Outcome,
    Result,
    ScriptFailure,
    Stopped,
    SystemFailure,
)
from executor.local.runner.registration import Registration
from executor.notation.durations import go_text

_PREPARE_ATTEMPTS = 3
_PREPARE_WAIT_SECONDS = 3
_SHELLS = ("bash", "sh")
_CANCELED = "canceled"


class Job:
    """A job that runs; other threads may call it off."""

    def __init__(
        self, assignment: Assignment, registration: Registration, slot: Slot, log: JobLog
    ) -> None:
        self._log = log
        self._cancellation = JobCancellation()
        self._live = LiveJob(assignment, registration, slot, log, self._cancellation)
        names = with_expanded_names(assignment.definition, self._live.variables())
        self._live.assignment = replace(assignment, definition=names)
        self._seconds: list[tuple[str, float]] = []
        self._record = "", ""

    def cancel(self) -> None:
        """Stop the script; before there is one, stop the job. What follows a script still runs."""
        self._cancellation.cancel(_CANCELED)

    def abort(self) -> None:
        """Stop everything but cleanup, without patience."""
        self._cancellation.abort(_CANCELED)

    def run(self) -> Outcome:
        """Run the job and tell how it ended."""
        limit = self._live.assignment.timeout_seconds
        # gitlab-runner's own words, with the unit twice.
        reason = f"{JOB_TIMED_OUT} {go_text(limit)} seconds"
        try:
            with limited(self._cancellation.whole, limit, reason):
                self._run()
        except (ScriptFailure, ConfigurationFailure, SystemFailure, Stopped) as failure:
            result = _result_of(failure)
            kind = " (system failure)" if result is Result.SYSTEM_FAILURE else ""
            self._log.say(f"ERROR: Job failed{kind}: {failure}", colour=RED)
            outcome = self._outcome(result, getattr(failure, "exit_code", 0))
            if outcome.is_allowed_to_fail:
                self._log.say("WARNING: the job is allowed to fail", colour=YELLOW)
            return outcome
        self._log.say("Job succeeded", colour=GREEN)
        return self._outcome(Result.SUCCESS, 0)

    def _outcome(self, result: Result, exit_code: int) -> Outcome:
        job = self._live.assignment.definition
        may_fail = job.may_fail_with(exit_code)
        return Outcome(
            job.name, result, may_fail, exit_code, tuple(self._seconds), record=self._record
        )

    def _run(self) -> None:
        hooks = self._prepared()
        try:
            Execution(self._live, hooks).run()
        finally:
            self._clean_up(hooks)

    def _prepared(self) -> Hooks:
        """Return the hooks of the try that prepared the job, the third at the latest."""
        live = self._live
        attempt = 1
        while True:
            hooks = Hooks(
                live.assignment, live.registration, self._log, hurry=self._cancellation.hurry
            )
            try:
                self._prepare(hooks)
            except BaseException as error:
                self._clean_up(hooks)
                if not isinstance(error, SystemFailure):
                    raise
                self._log.say(f"ERROR: Preparation failed: {error}", colour=RED)
                self._wait_before_retry()
                if attempt == _PREPARE_ATTEMPTS:
                    raise
            else:
                return hooks
            attempt += 1

    def _wait_before_retry(self) -> None:
        # gitlab-runner waits after the last try, too.
        self._log.say(f"Will be retried in {_PREPARE_WAIT_SECONDS}s ...", colour=YELLOW)
        wake = threading.Event()
        with self._cancellation.whole.heard_by(wake.set):
            wake.wait(_PREPARE_WAIT_SECONDS)
        if reason := self._cancellation.whole.reason:
            raise Stopped(reason)

    def _prepare(self, hooks: Hooks) -> None:
        live = self._live
        self._log.say('Preparing the "custom" executor', colour=CYAN)
        hooks.configure(live.variables(), self._cancellation.whole)
        config = hooks.config
        named = f" with driver {config.name} {config.version}".rstrip() if config.name else ""
        self._log.say(f"Using Custom executor{named}...")
        for key, value in (("builds_dir", config.builds_dir), ("cache_dir", config.cache_dir)):
            if not value:
                raise ConfigurationFailure(f"the {key} is not configured")
        if config.shell not in _SHELLS:
            raise ConfigurationFailure(
                f'the shell "{config.shell}" is not supported by the embedded runner; '
                f"use one of {', '.join(_SHELLS)}"
            )
        strategy = git_script.chosen_strategy(live.variables().get("GIT_STRATEGY"))
        live.where = directories(
            live.assignment,
            live.slot,
            builds_dir=config.builds_dir,
            cache_dir=config.cache_dir,
            is_shared=config.builds_dir_is_shared,
            empty_strategy=strategy == "empty",
        )
        hooks.prepare(live.variables(), self._cancellation.whole)

    def _clean_up(self, hooks: Hooks) -> None:
        self._record = hooks.config.record
        hooks.clean_up(self._live.variables())
        self._seconds += hooks.seconds


def _result_of(failure: Exception) -> Result:
    if isinstance(failure, SystemFailure):
        return Result.SYSTEM_FAILURE
    if isinstance(failure, Stopped):
        return Result.TIMED_OUT if failure.is_late else Result.CANCELED
    return Result.FAILED
