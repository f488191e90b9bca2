"""What `run` needs to know, small enough to travel from config to run in one variable.

Reading the settings and the payload again would cost a third of a `run` call's start.
"""

import json

from executor.env import RUN_CONTEXT, RunnerEnv
from executor.names import JobNames


class RunContext:
    """Where the engine is, whose containers are meant, and how to log."""

    __slots__ = (
        "host",
        "job_id",
        "key",
        "log",
        "project_id",
        "ready_timeout",
        "tls_dir",
        "tls_verify",
    )

    def __init__(self, values: dict[str, object]) -> None:
        """Take decoded values."""
        self.host = str(values["host"])
        self.tls_dir = str(values["tls_dir"])
        self.tls_verify = bool(values["tls_verify"])
        self.key = str(values["key"])
        self.job_id = values["job_id"]
        self.project_id = values["project_id"]
        self.ready_timeout = float(str(values["ready_timeout"]))
        self.log = str(values["log"])

    @property
    def names(self) -> JobNames:
        """Return the names of the job's objects."""
        return JobNames(self.key)

    def to_job_env(self) -> dict[str, str]:
        """Return the variable that carries this, for config's `job_env`."""
        return {RUN_CONTEXT: json.dumps({name: getattr(self, name) for name in self.__slots__})}


def run_context(env: RunnerEnv, args: list[str]) -> RunContext:
    """Return the context that config made.

    It is made anew where config_exec is not registered, or where an upgrade came in between.
    """
    if env.run_context:
        try:
            return RunContext(json.loads(env.run_context))
        except (ValueError, KeyError, TypeError):
            pass
    from executor.inputs import read_inputs  # noqa: PLC0415 (slow, and not needed as a rule)

    return read_inputs(env, args).context
