"""One job, ready to be handed to a runner.

Pure, and free of the runner: what is here holds for any runner that asks for the job.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from executor.bounds import whole_number
from executor.local.pipeline.model import Cache, JobDefinition, YamlVariable
from executor.local.pipeline.selection import taken_over
from executor.local.project.checkout import Checkout
from executor.local.project.deployment import environment_variables
from executor.local.project.predefined import (
    JOB_TOKEN_USER,
    Project,
    Site,
    job_variables,
    registry_variables,
    repository_url,
)
from executor.local.project.variables import Variable, from_yaml, last_of_each, resolved_by_server

GIT_DEPTH = 20
_LARGEST_DEPTH = 2**31 - 1
"""What git takes."""
# GitLab keeps the caches of protected branches apart; here no branch is protected.
_CACHE_SUFFIX = "-non_protected"


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """What all jobs of one pipeline share."""

    project: Project
    site: Site
    checkout: Checkout
    pipeline_id: int
    predefined: tuple[Variable, ...]
    yaml: tuple[YamlVariable, ...]
    given: tuple[Variable, ...]
    timeout_seconds: int
    has_cache_server: bool = False


@dataclass(frozen=True, slots=True)
class Credential:
    """A registry login."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dependency:
    """An earlier job whose artifacts this one gets."""

    id: int
    name: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """One job, ready to be handed out."""

    id: int
    token: str = field(repr=False)
    facts: PipelineFacts
    definition: JobDefinition
    variables: tuple[Variable, ...]
    dependencies: tuple[Dependency, ...] = ()

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The logins that GitLab gives with the job."""
        return credentials_of(self.variables)

    @property
    def timeout_seconds(self) -> int:
        """The job's time limit: its own, or else the pipeline's."""
        return self.definition.timeout_seconds or self.facts.timeout_seconds

    @property
    def caches(self) -> tuple[Cache, ...]:
        """The job's caches, their keys as GitLab hands them out."""
        return tuple(
            replace(
                cache,
                key=f"{cache.key}{_CACHE_SUFFIX}",
                fallback_keys=tuple(f"{key}{_CACHE_SUFFIX}" for key in cache.fallback_keys),
            )
            for cache in self.definition.caches
        )

    @property
    def repository_url(self) -> str:
        """The address to fetch from, with the job token."""
        return repository_url(self.facts.site, self.facts.project, self.token)

    @property
    def refspecs(self) -> tuple[str, ...]:
        """What to fetch: the pipeline's own ref and the branch."""
        pipeline = f"refs/pipelines/{self.facts.pipeline_id}"
        branch = self.facts.checkout.branch
        return (f"+{pipeline}:{pipeline}", f"+refs/heads/{branch}:refs/remotes/origin/{branch}")

    @property
    def depth(self) -> int:
        """How many commits to fetch; 0 for all."""
        value = last_of_each(self.variables).get("GIT_DEPTH")
        depth = whole_number(value.value, _LARGEST_DEPTH) if value else None
        return GIT_DEPTH if depth is None else depth


def assign(
    definition: JobDefinition,
    facts: PipelineFacts,
    *,
    job_id: int,
    token: str,
    dependencies: tuple[Dependency, ...] = (),
    reported: Iterable[Variable] = (),
) -> Assignment:
    """Return the assignment for a job: its variables in GitLab's order of precedence.

    `reported` are those that earlier jobs left for it in dotenv reports.
    """
    first = (
        *facts.predefined,
        *job_variables(
            definition, job_id=job_id, token=token, project=facts.project, site=facts.site
        ),
    )
    last = (
        *registry_variables(facts.project, facts.given),
        *from_yaml(taken_over(definition, facts.yaml)),
        *from_yaml(definition.variables),
        *reported,
        *facts.given,
    )
    environment = environment_variables(definition.environment, (*first, *last))
    return Assignment(
        id=job_id,
        token=token,
        facts=facts,
        definition=definition,
        variables=resolved_by_server((*first, *environment, *last)),
        dependencies=dependencies,
    )


def credentials_of(variables: Iterable[Variable]) -> tuple[Credential, ...]:
    """Return the logins that GitLab would give: to its registry and to its dependency proxy."""
    values = {variable.key: variable.value for variable in variables}
    credentials = []
    for server_key, prefix in (
        ("CI_REGISTRY", "CI_REGISTRY"),
        ("CI_DEPENDENCY_PROXY_SERVER", "CI_DEPENDENCY_PROXY"),
    ):
        server, password = values.get(server_key), values.get(f"{prefix}_PASSWORD")
        if server and password:
            user = values.get(f"{prefix}_USER") or JOB_TOKEN_USER
            credentials.append(Credential(server, user, password))
    return tuple(credentials)
