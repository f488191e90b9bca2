"""The four hooks, called for one job: one prepare attempt and what follows it."""

import os
import shutil
import tempfile
from pathlib import Path

from executor.bounds import LARGEST, whole_number
from executor.excerpts import excerpt
from executor.files import read_regular
from executor.local.project.assignment import Assignment
from executor.local.project.payload import payload_of
from executor.local.runner.cancellation import Cancellation
from executor.local.runner.go_json import go_json
from executor.local.runner.hook_process import Ending, Surroundings, call_hook
from executor.local.runner.job_config import JobConfig, configured
from executor.local.runner.job_log import Capture, JobLog, Sink
from executor.local.runner.job_variables import JobVariables, custom_environment
from executor.local.runner.outcome import ScriptFailure, Stopped, SystemFailure
from executor.local.runner.registration import Hook, Registration

BUILD_FAILURE_EXIT_CODE = 1
SYSTEM_FAILURE_EXIT_CODE = 2
_MOST_BYTES = 1024 * 1024


class Hooks:
    """The hooks, called for one job with one temporary directory of its own."""

    def __init__(
        self,
        assignment: Assignment,
        registration: Registration,
        log: JobLog,
        *,
        hurry: Cancellation,
    ) -> None:
        self.config = JobConfig(registration.builds_dir, registration.cache_dir, registration.shell)
        self.seconds: list[tuple[str, float]] = []
        self._assignment = assignment
        self._registration = registration
        self._log = log
        self._hurry = hurry
        # No gitlab-runner's: a sweep must not take it for one of those.
        self._directory = Path(tempfile.mkdtemp(prefix="custom-executor-"))
        self._response = self._directory / "response.json"
        self._exit_code = self._directory / "build_exit_code"
        try:
            self._write_payload()
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Remove the payload with its passwords, and all that lies beside it."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _write_payload(self) -> None:
        descriptor = os.open(self._response, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(go_json(payload_of(self._assignment)) + "\n")

    def configure(self, variables: JobVariables, cancellation: Cancellation) -> None:
        """Ask the config hook where and how the job runs."""
        hook = self._registration.config
        if hook is not None:
            answer = Capture()
            ending = self._call(
                "config", hook, (), variables=variables, stdout=answer, cancellation=cancellation
            )
            self._judge(ending, cancellation)
            self.config = configured(self.config, answer.content)

    def prepare(self, variables: JobVariables, cancellation: Cancellation) -> None:
        """Have the prepare hook make what the job runs in."""
        if self._registration.prepare is not None:
            ending = self._call(
                "prepare",
                self._registration.prepare,
                (),
                variables=variables,
                stdout=self._log.stream(),
                cancellation=cancellation,
            )
            self._judge(ending, cancellation)

    def run(
        self, sub_stage: str, script: str, variables: JobVariables, cancellation: Cancellation
    ) -> None:
        """Have the run hook run the script of a sub-stage."""
        directory = Path(tempfile.mkdtemp(prefix="script", dir=self._directory))
        path = directory / "script"
        path.write_text(script, encoding="utf-8")
        path.chmod(0o700)
        ending = self._call(
            sub_stage,
            self._registration.run,
            (str(path), sub_stage),
            variables=variables,
            stdout=self._log.stream(),
            cancellation=cancellation,
        )
        self._judge(ending, cancellation)

    def clean_up(self, variables: JobVariables) -> None:
        """Have the cleanup hook remove what the job ran in; a failure is only told."""
        try:
            self._call_cleanup(variables)
        finally:
            self._forget()

    def _call_cleanup(self, variables: JobVariables) -> None:
        hook = self._registration.cleanup
        if hook is not None:
            # gitlab-runner keeps these lines for its own log; here the administrator reads them at once.
            ending = self._call(
                "cleanup",
                hook,
                (),
                variables=variables,
                stdout=Capture(),
                stderr=self._log.stream("cleanup: "),
                cancellation=Cancellation(),
            )
            if ending.exit_code != 0:
                self._log.say(f"WARNING: Cleanup script failed: {_described(ending)}")

    def _call(
        self,
        name: str,
        hook: Hook,
        arguments: tuple[str, ...],
        *,
        variables: JobVariables,
        stdout: Sink,
        cancellation: Cancellation,
        stderr: Sink | None = None,
    ) -> Ending:
        around = Surroundings(
            environment=self._environment(variables),
            directory=self._directory,
            graceful_kill_seconds=self._registration.graceful_kill_seconds,
            force_kill_seconds=self._registration.force_kill_seconds,
            cancellation=cancellation,
            hurry=self._hurry,
        )
        ending = call_hook(
            hook, arguments, around, stdout=stdout, stderr=stderr or self._log.stream()
        )
        self.seconds.append((name, ending.seconds))
        return ending

    def _environment(self, variables: JobVariables) -> dict[str, str]:
        # The order is the runner's: what comes later wins.
        return {
            **os.environ,
            "TMPDIR": str(self._directory),
            "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE_EXIT_CODE),
            "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE_EXIT_CODE),
            "BUILD_EXIT_CODE_FILE": str(self._exit_code),
            "JOB_RESPONSE_FILE": str(self._response),
            **self.config.job_env,
            **custom_environment(variables, self._assignment.definition),
        }

    def _judge(self, ending: Ending, cancellation: Cancellation) -> None:
        """Raise what an ending means."""
        if cancellation.reason:
            raise Stopped(cancellation.reason)
        if ending.problem:
            raise SystemFailure(ending.problem)
        if ending.exit_code == BUILD_FAILURE_EXIT_CODE:
            raise self._script_failure()
        if ending.exit_code == SYSTEM_FAILURE_EXIT_CODE:
            raise SystemFailure(_described(ending))
        if ending.exit_code != 0:
            raise SystemFailure(_unknown(ending.exit_code))

    def _script_failure(self) -> ScriptFailure | SystemFailure:
        try:
            content = read_regular(str(self._exit_code), _MOST_BYTES)
            first = content.decode().partition("\n")[0]
        except (OSError, UnicodeDecodeError):
            return ScriptFailure(BUILD_FAILURE_EXIT_CODE)
        code = whole_number(first.strip(), smallest=-LARGEST)
        if code is None:
            shown = excerpt(first)
            return SystemFailure(f'{_unknown(2)}: BUILD_EXIT_CODE_FILE holds "{shown}"')
        return ScriptFailure(code)


def _described(ending: Ending) -> str:
    if ending.problem or ending.exit_code is None:
        return ending.problem
    if ending.exit_code < 0:
        return f"signal {-ending.exit_code}"
    return f"exit status {ending.exit_code}"


def _unknown(exit_code: int | None) -> str:
    return f"unknown Custom executor executable exit code {exit_code}"
