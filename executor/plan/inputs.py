"""What a job is planned from: what was read before anything happened, and what was found since.

Pure: no I/O.
"""

from collections.abc import Mapping
from functools import cached_property

from executor.dataclass import dataclass, field
from executor.names import GITLAB_LABEL, KEEP_LABEL, JobNames
from executor.notation.expansion import expand
from executor.notation.image_names import LONGEST_REFERENCE
from executor.notation.owner import Belonging
from executor.plan.credentials import Catalogue
from executor.plan.labels import job_labels, kind_labels, settings_labels
from executor.plan.services import LONGEST_ALIASES, NamedService, name_services
from executor.plan.variables import Variables
from executor.plan.volumes import JobVolumes, job_volumes
from executor.runner.payload import Job, JobImage, Variable
from executor.settings.file import Settings
from executor.settings.services import ServiceDefinition
from executor.spec import Certificates, NetworkSpec, Surroundings

_CONTAINERS = ("build", "helper", "service", "dind")


@dataclass(frozen=True, slots=True)
class Facts:
    """What only a look at the engine and its host tells, once it is under way."""

    surroundings: Surroundings = Surroundings()
    certificates: Certificates | None = None
    """Those of the sidecar, None where it has no TLS or the job has no sidecar."""
    builds_are_taken: bool = False
    """Whether another job works in the builds directory that this one would find again."""
    docker_host_is_elsewhere: bool = False
    """Whether the name in the job's DOCKER_HOST is that of a host outside of the job."""
    kept_network: NetworkSpec | None = None
    """The network that the job's slot keeps, where the job is on that."""


@dataclass(frozen=True)
class Inputs:
    """The payload, the administrator's settings, the runner's words and the credentials.

    What follows from them is worked out once, when it is first asked for.
    """

    job: Job
    settings: Settings
    belonging: Belonging
    """Who the job belongs to."""
    values: Mapping[str, str]
    """The job's variables as gitlab-runner expanded them."""
    catalogue: Catalogue
    hidden_source: str = ""
    """The source of credentials that the runner uses and the job does not get; may be empty."""
    seccomp_profiles: Mapping[str, str] = field(default_factory=dict)
    """Security options that name a profile's file, and the same with the profile itself."""
    authorities: bytes = b""
    """The certificates (PEM) of private authorities that builds in dind trust."""
    generation: int = 0
    """Whose place the sources are in that the job finds again; see `notation.sources`."""

    @cached_property
    def names(self) -> JobNames:
        """Return the names of the job's objects."""
        return JobNames(self.belonging.key)

    @cached_property
    def variables(self) -> Variables:
        """Return the job's variables, and which of them are secret."""
        logins = tuple(each.credential for each in self.catalogue.entries)
        return Variables(self.job, self.values, logins)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not show, longest first."""
        return self.variables.secrets

    @cached_property
    def image_name(self) -> str:
        """Return the image of the job's scripts, its own or the settings'; empty where none is."""
        own = expand(self.job.image.name, self.variables.value, LONGEST_REFERENCE)
        default = self.settings.docker.images.image
        return own or expand(default, self.variables.value, LONGEST_REFERENCE)

    @cached_property
    def services(self) -> tuple[NamedService, ...]:
        """Return all services: the administrator's, which every job gets, and then the job's own.

        Raises as `name_services`.
        """
        own = self._settings_services
        return name_services((*own, *self.job.services), len(own))

    @cached_property
    def _settings_services(self) -> tuple[JobImage, ...]:
        """Return the services of the settings."""
        return tuple(map(self._settings_service, self.settings.docker.services.services))

    @cached_property
    def volumes(self) -> JobVolumes:
        """Return the volumes of the job; raises as `job_volumes`."""
        return job_volumes(self)

    def labels(self, kind: str) -> dict[str, str]:
        """Return the labels of one of the job's objects: gitlab-runner's, and our own.

        Everyone who may talk to the engine reads them, so one that holds a secret is left out.
        """
        keep = {KEEP_LABEL: str(self.settings.docker.volumes.volume_keep).lower()}
        return {
            **settings_labels(self.container_labels[0], kind),
            **self.job_labels,
            **kind_labels(kind),
            **self.owner_labels,
            "dind-executor.type": kind,
            **(keep if kind in _CONTAINERS else {}),
        }

    @cached_property
    def job_labels(self) -> dict[str, str]:
        """Return the labels that name the job, without those that hold a secret."""
        return self.variables.split(job_labels(self.job, self.values))[0]

    @cached_property
    def owner_labels(self) -> dict[str, str]:
        """Return the labels that say who the job belongs to.

        Of them GitLab's address alone comes from the job; it is empty where it holds a secret.
        """
        labels = self.belonging.labels()
        _, secret = self.variables.split({GITLAB_LABEL: self.belonging.gitlab})
        return {**labels, **dict.fromkeys(secret, "")}

    @cached_property
    def container_labels(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the administrator's labels, and those left out because they hold a secret."""
        labels = self.settings.docker.containers.container_labels
        return self.variables.split(
            {name: expand(text, self.variables.value) for name, text in labels.items()}
        )

    def _settings_service(self, service: ServiceDefinition) -> JobImage:
        variables = [each.partition("=") for each in service.environment]
        return JobImage(
            name=expand(service.name, self.variables.value, LONGEST_REFERENCE),
            alias=expand(service.alias, self.variables.value, LONGEST_ALIASES),
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
