"""What gitlab-runner tells a stage through its environment, read once.

Source of the rules: GitLab's documentation of the custom executor, and what gitlab-runner does.
"""

import os
from _collections_abc import Mapping

_CUSTOM_ENV = "CUSTOM_ENV_"

RUN_CONTEXT = "DIND_EXECUTOR_RUN_CONTEXT"
"""Name of the variable that carries `RunContext` from config to run, by way of `job_env`."""


class RunnerEnv:
    """The part of the environment that stages may look at."""

    __slots__ = (
        "build_failure",
        "environ",
        "exit_code_file",
        "job_response_file",
        "run_context",
        "system_failure",
        "temp_dir",
    )

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the runner's own variables; nothing a job can set is among them."""
        self.environ = environ
        self.build_failure = _exit_code(environ.get("BUILD_FAILURE_EXIT_CODE"), 1)
        self.system_failure = _exit_code(environ.get("SYSTEM_FAILURE_EXIT_CODE"), 2)
        self.exit_code_file = environ.get("BUILD_EXIT_CODE_FILE", "")
        self.job_response_file = environ.get("JOB_RESPONSE_FILE", "")
        self.run_context = environ.get(RUN_CONTEXT, "")
        self.temp_dir = environ.get("TMPDIR", "")

    @classmethod
    def current(cls) -> "RunnerEnv":
        """Return the environment of this process."""
        return cls(os.environ)

    def job_values(self) -> dict[str, str]:
        """Return the job's variables as gitlab-runner expanded them, file-type ones as content."""
        skip = len(_CUSTOM_ENV)
        return {
            _text(key[skip:]): _text(value)
            for key, value in self.environ.items()
            if key.startswith(_CUSTOM_ENV)
        }

    def job_value(self, key: str) -> str | None:
        """Return one of the job's variables, or None where it is not set."""
        value = self.environ.get(_CUSTOM_ENV + key)
        return None if value is None else _text(value)

    def host(self, key: str) -> str:
        """Return a variable of the runner's own process, such as DOCKER_HOST; "" if unset."""
        return self.environ.get(key, "")


def _text(value: str) -> str:
    """Return a value with a mark in place of bytes that are no UTF-8: nobody could pass those on."""
    if value.isascii():
        return value
    return value.encode(errors="surrogateescape").decode(errors="replace")


def _exit_code(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
