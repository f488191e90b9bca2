"""What `run` needs to know, small enough to travel from config to run in one variable.

Reading the settings and the payload again would cost a third of a `run` call's start.
"""

from executor.log import AdministratorLog
from executor.names import JobNames
from executor.quick_json import dumps
from executor.runner.environ import RUN_CONTEXT


class RunContext:
    """Where the engine is, whose containers are meant, and how to log."""

    __slots__ = (
        "capture",
        "host",
        "job_id",
        "key",
        "log",
        "project_id",
        "ready_timeout",
        "spool",
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
        self.spool = str(values["spool"])
        self.capture = str(values["capture"])

    @property
    def names(self) -> JobNames:
        """Return the names of the job's objects."""
        return JobNames(self.key)

    def open(self, log: AdministratorLog, **facts: object) -> None:
        """Open a stage's log, and say where its record goes and what else that says."""
        log.capture = self.capture
        log.open(self.log, self.job_id, self.project_id, self.spool, key=self.key, **facts)

    def to_job_env(self) -> dict[str, str]:
        """Return the variable that carries this, for config's `job_env`."""
        return {RUN_CONTEXT: dumps({name: getattr(self, name) for name in self.__slots__})}
