"""What a job is planned from, besides facts.

Pure: no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.credentials import Catalogue
from executor.job import Job, JobImage, Variable
from executor.names import LABEL, JobNames
from executor.secrets import secret_values
from executor.settings import Settings
from executor.variables import expand


@dataclass(frozen=True, slots=True)
class Request:
    """The payload, the operator's settings, the runner's words and the credentials."""

    job: Job
    settings: Settings
    names: JobNames
    values: Mapping[str, str]
    """The job's variables as gitlab-runner expanded them."""
    catalogue: Catalogue
    hidden_source: str = ""
    """The source of credentials that the runner uses and the job does not get; may be empty."""

    def value(self, key: str) -> str:
        """Return a variable as an image name or a service's variable sees it: a file as its path."""
        if any(each.key == key and each.file for each in self.job.variables):
            return self.file_path(key)
        return self.values.get(key, "")

    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not show, longest first."""
        logins = (each.credential for each in self.catalogue.entries)
        return secret_values(self.job, self.values, logins)

    def file_path(self, key: str) -> str:
        """Return where the scripts put a file-type variable."""
        return f"{self.values.get('RUNNER_TEMP_PROJECT_DIR', '')}/{key}"

    def labels(self, kind: str) -> dict[str, str]:
        """Return the labels of one of the job's objects."""
        return {
            LABEL: self.names.key,
            "dind-executor.type": kind,
            "dind-executor.job-id": str(self.job.id),
            "dind-executor.project-id": str(self.job.project_id),
        }

    def hostname(self) -> str:
        """Return gitlab-runner's own host name for a container: the runner, project and slot."""
        short = self.values.get("CI_RUNNER_SHORT_TOKEN", "")
        slot = self.values.get("CI_CONCURRENT_PROJECT_ID", "0")
        name = f"runner-{short}-project-{self.job.project_id}-concurrent-{slot}".lower()
        kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "-"))
        return kept[:63].rstrip("-")

    def public_environment(self) -> dict[str, str]:
        """Return the job's public variables; some may hold a secret's value, see `split`."""
        return {
            each.key: self._in_container(each) for each in self.job.variables if not each.secret
        }

    def split(self, environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return what of an environment may stand in a container's configuration, and the rest.

        The configuration is readable by everyone who may talk to the engine, so a public value
        that contains a secret's does not stand there either.
        """
        secrets = self.secrets()
        shown: dict[str, str] = {}
        hidden: dict[str, str] = {}
        for key, value in environment.items():
            place = hidden if any(secret in value for secret in secrets) else shown
            place[key] = value
        return shown, hidden

    def _in_container(self, variable: Variable) -> str:
        if variable.file:
            return self.file_path(variable.key)
        return self.values.get(variable.key, variable.value)

    def service_variables(self, service: JobImage) -> dict[str, str]:
        """Return a service's own variables, expanded against its own and all of the job's."""
        own = {each.key: each.value for each in service.variables}

        def lookup(key: str) -> str:
            return own[key] if key in own else self.value(key)

        return {
            each.key: each.value if each.raw else expand(each.value, lookup)
            for each in service.variables
        }
