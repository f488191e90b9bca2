"""What a job is planned from: what was read before anything happened, and what was found since.

Pure: no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from executor.names import KEEP_LABEL, LABEL, JobNames
from executor.notation.expansion import expand
from executor.plan.credentials import Catalogue
from executor.plan.labels import job_labels, kind_labels, settings_labels
from executor.plan.secrets import referring_keys, secret_keys, secret_values
from executor.plan.services import NamedService, name_services
from executor.plan.volumes import JobVolumes, job_volumes
from executor.runner.payload import Job, JobImage, Variable
from executor.settings.file import Settings
from executor.settings.services import ServiceDefinition
from executor.spec import Certificates, Surroundings

_RUNNER_FILES = ("CI_SERVER_TLS_CA_FILE", "CI_SERVER_TLS_CERT_FILE", "CI_SERVER_TLS_KEY_FILE")
"""Variables of gitlab-runner's own that are files."""

_CONTAINERS = ("build", "helper", "service", "dind")
_NOT_FOR_SERVICES = ("CI_JOB_SERVICES", "DOCKER_AUTH_CONFIG")


@dataclass(frozen=True, slots=True)
class Facts:
    """What only a look at the engine and its host tells, once it is under way."""

    surroundings: Surroundings = Surroundings()  # noqa: RUF009 (frozen)
    certificates: Certificates | None = None
    """Those of the sidecar, None where it has no TLS or the job has no sidecar."""
    builds_are_taken: bool = False
    """Whether another job works in the builds directory that this one would find again."""


@dataclass(frozen=True)
class Inputs:
    """The payload, the administrator's settings, the runner's words and the credentials.

    What follows from them is worked out once, when it is first asked for.
    """

    job: Job
    settings: Settings
    names: JobNames
    values: Mapping[str, str]
    """The job's variables as gitlab-runner expanded them."""
    catalogue: Catalogue
    hidden_source: str = ""
    """The source of credentials that the runner uses and the job does not get; may be empty."""
    seccomp_profiles: Mapping[str, str] = field(default_factory=dict)
    """Security options that name a profile's file, and the same with the profile itself."""

    def value(self, key: str) -> str:
        """Return a variable as an image name or a service's variable sees it: a file as its path."""
        if key in _RUNNER_FILES or key in self.job.file_keys:
            return self.file_path(key) if key in self.values else ""
        return self.values.get(key, "")

    @cached_property
    def image_name(self) -> str:
        """Return the image of the job's scripts, its own or the settings'; empty where none is."""
        own = expand(self.job.image.name, self.value)
        return own or expand(self.settings.docker.images.image, self.value)

    @cached_property
    def services(self) -> tuple[NamedService, ...]:
        """Return all services: the administrator's, which every job gets, and then the job's own.

        Raises as `name_services`.
        """
        own = self.settings_services
        return name_services((*own, *self.job.services), len(own))

    @cached_property
    def settings_services(self) -> tuple[JobImage, ...]:
        """Return the services of the settings."""
        return tuple(map(self._settings_service, self.settings.docker.services.services))

    @cached_property
    def volumes(self) -> JobVolumes:
        """Return the volumes of the job; raises as `job_volumes`."""
        return job_volumes(self)

    def entrypoint(self, image: JobImage) -> tuple[str, ...] | None:
        """Return the entrypoint that the job gives an image, None for the image's own."""
        disabled = self.settings.docker.images.disable_entrypoint_overwrite
        if disabled and any(image is each for each in (self.job.image, *self.job.services)):
            return None
        return image.entrypoint

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not show, longest first."""
        logins = (each.credential for each in self.catalogue.entries)
        return secret_values(self.job, self.values, logins)

    def file_path(self, key: str) -> str:
        """Return where the scripts put a file-type variable."""
        return f"{self.values.get('RUNNER_TEMP_PROJECT_DIR', '')}/{key}"

    def labels(self, kind: str) -> dict[str, str]:
        """Return the labels of one of the job's objects: gitlab-runner's, and our own.

        Everyone who may talk to the engine reads them, so one that holds a secret is left out.
        """
        keep = {KEEP_LABEL: str(self.settings.docker.volumes.volume_keep).lower()}
        return {
            **settings_labels(self.container_labels[0], kind),
            **self.job_labels,
            **kind_labels(kind),
            LABEL: self.names.key,
            "dind-executor.type": kind,
            "dind-executor.job-id": str(self.job.id),
            "dind-executor.project-id": str(self.job.project_id),
            **(keep if kind in _CONTAINERS else {}),
        }

    @cached_property
    def job_labels(self) -> dict[str, str]:
        """Return the labels that name the job, without those that hold a secret."""
        return self.split(job_labels(self.job, self.values))[0]

    @cached_property
    def container_labels(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the administrator's labels, and those left out because they hold a secret."""
        labels = self.settings.docker.containers.container_labels
        return self.split({name: expand(text, self.value) for name, text in labels.items()})

    def hostname(self) -> str:
        """Return the operator's host name, else gitlab-runner's: the runner, project and slot."""
        if self.settings.docker.containers.hostname:
            return self.settings.docker.containers.hostname
        short = self.values.get("CI_RUNNER_SHORT_TOKEN", "")
        slot = self.values.get("CI_CONCURRENT_PROJECT_ID", "0")
        name = f"runner-{short}-project-{self.job.project_id}-concurrent-{slot}".lower()
        kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "-"))
        return kept[:63].rstrip("-")

    @cached_property
    def public_environment(self) -> dict[str, str]:
        """Return the job's public variables; some may hold a secret's value, see `split`.

        Of two of one name, the last says whether it is public: it is the one that has the value.
        """
        return {
            key: self._in_container(each) for key, each in self.variables.items() if not each.secret
        }

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """Return the job's variables by their names; of two of one name the last has the value."""
        return {each.key: each for each in self.job.variables}

    def split(
        self, environment: Mapping[str, str], service: JobImage | None = None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what of an environment may stand in a container's configuration, and the rest.

        The configuration is readable by everyone who may talk to the engine, so a public value
        that contains a secret's, or refers to one, does not stand there either.  `service` is
        whose variables the environment has beside the job's.
        """
        # A job may have thousands of both: most secrets stand in no value at all.
        whole = "\n".join(environment.values())
        secrets = [secret for secret in self.secrets if secret in whole]
        referring = self._referring
        if service and service.variables:
            own = {each.key: each for each in service.variables}
            referring = (referring - own.keys()) | referring_keys(own.values(), self._secret_keys)
        shown: dict[str, str] = {}
        hidden: dict[str, str] = {}
        for key, value in environment.items():
            is_secret = key in referring or any(secret in value for secret in secrets)
            (hidden if is_secret else shown)[key] = value
        return shown, hidden

    @cached_property
    def _secret_keys(self) -> frozenset[str]:
        return secret_keys(self.job, self.values)

    @cached_property
    def _referring(self) -> frozenset[str]:
        """Return which of the job's variables refer to a secret one."""
        return referring_keys(self.variables.values(), self._secret_keys)

    def service_environment(self, service: JobImage) -> dict[str, str]:
        """Return what a service gets: public variables of runner and job, and its own."""
        return {
            **self.runner_environment,
            **self.public_environment,
            **self.service_variables(service),
        }

    @cached_property
    def runner_environment(self) -> dict[str, str]:
        """Return the variables that the payload does not have: gitlab-runner's and its administrator's.

        Those about gitlab-runner's own doing stay behind, and so do credentials.
        """
        return {
            key: self.file_path(key) if key in _RUNNER_FILES else value
            for key, value in self.values.items()
            if not (
                key in self.variables
                or key in self.job.secret_keys
                or key in _NOT_FOR_SERVICES
                or key.startswith("FF_")
            )
        }

    def _settings_service(self, service: ServiceDefinition) -> JobImage:
        variables = [each.partition("=") for each in service.environment]
        return JobImage(
            name=expand(service.name, self.value),
            alias=expand(service.alias, self.value),
            entrypoint=service.entrypoint or None,
            command=service.command,
            variables=tuple(
                Variable(key, value, public=True, masked=False, file=False, raw=False)
                for key, _, value in variables
            ),
            pull_policies=(),
            user="",
            platform="",
        )

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
