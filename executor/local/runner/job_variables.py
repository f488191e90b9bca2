"""The variables of a job with gitlab-runner's own around them, and the CUSTOM_ENV_* names.

Pure.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from executor.errors import UnsupportedJobOption
from executor.local.errors import PipelineError
from executor.local.pipeline.model import Image, JobDefinition
from executor.local.project.assignment import Assignment
from executor.local.project.variables import Variable, from_yaml, last_of_each
from executor.local.runner.directories import Directories, Slot, network_name
from executor.local.runner.go_json import go_json
from executor.local.runner.registration import Registration
from executor.notation.expansion import expand
from executor.notation.service_names import split_aliases

DEFAULT_RUNNER_VERSION = "17.9.0"

# The flags that a custom executor may want to honour, with the runner's defaults.
_FEATURE_FLAGS = {
    "FF_NETWORK_PER_BUILD": False,
    "FF_POSIXLY_CORRECT_ESCAPES": False,
    "FF_ENABLE_BASH_EXIT_CODE_CHECK": False,
    "FF_USE_LEGACY_BASH_EVAL": False,
    "FF_USE_NEW_BASH_EVAL_STRATEGY": False,
    "FF_SCRIPT_SECTIONS": False,
    "FF_ENABLE_JOB_CLEANUP": False,
    "FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR": False,
    "FF_USE_INIT_WITH_DOCKER_EXECUTOR": False,
    "FF_USE_NATIVE_CONTAINER_STOP": False,
    "FF_TIMESTAMPS": True,
}
_TRUE = ("true", "1", "t")


@dataclass(frozen=True)
class JobVariables:
    """All variables of a job, in the runner's order, with the runner's expansion."""

    variables: tuple[Variable, ...]
    temporary: str

    @cached_property
    def _latest(self) -> dict[str, Variable]:
        return last_of_each(self.variables)

    def get(self, key: str) -> str:
        """Return a value as references see it: a file's path, an unknown name's nothing."""
        variable = self._latest.get(key)
        if variable is None:
            return ""
        return posixpath.join(self.temporary, key) if variable.file else variable.value

    def expand(self, text: str) -> str:
        """Expand the references in a text, once; raises PipelineError if it gets too long."""
        try:
            return expand(text, self.get)
        except UnsupportedJobOption as error:
            raise PipelineError(str(error)) from None

    def expanded(self) -> tuple[Variable, ...]:
        """Return one variable per key, its value expanded unless it is raw."""
        return tuple(
            variable if variable.raw else replace(variable, value=self.expand(variable.value))
            for variable in self._latest.values()
        )


def all_variables(
    assignment: Assignment,
    registration: Registration,
    slot: Slot,
    *,
    where: Directories,
    status: str = "running",
) -> JobVariables:
    """Return the job's variables with the runner's around them."""
    job = assignment.definition
    runner = {
        "CI_RUNNER_SHORT_TOKEN": slot.runner_token,
        **dict(registration.environment),
        "CI_BUILDS_DIR": where.builds,
        "CI_PROJECT_DIR": where.project,
        "CI_CONCURRENT_ID": str(slot.number),
        "CI_CONCURRENT_PROJECT_ID": str(slot.number),
        "CI_SERVER": "yes",
        "CI_JOB_STATUS": status,
        "CI_JOB_TIMEOUT": str(assignment.timeout_seconds),
    }
    last = {
        "CI_SHARED_ENVIRONMENT": "true",
        "CI_RUNNER_ID": "1",
        "CI_RUNNER_DESCRIPTION": registration.name,
        "CI_RUNNER_VERSION": slot.runner_version,
        "CI_RUNNER_REVISION": f"v{slot.runner_version}",
        "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
        "RUNNER_TEMP_PROJECT_DIR": where.temporary,
    }
    flags = _feature_flags(assignment, registration)
    image = {"CI_JOB_IMAGE": job.image.name} if job.image else {}
    from_job = [variable for variable in assignment.variables if variable.key not in flags]
    network = (
        {"CI_BUILD_NETWORK_NAME": network_name(assignment, slot)}
        if flags["FF_NETWORK_PER_BUILD"] == "true"
        else {}
    )
    variables = (
        *_made(flags),
        *_made(image),
        *_made(runner),
        *from_job,
        *_made({**last, **network}),
    )
    return JobVariables(variables, where.temporary)


def _made(values: Mapping[str, str]) -> tuple[Variable, ...]:
    return tuple(Variable(key, value) for key, value in values.items())


def _feature_flags(assignment: Assignment, registration: Registration) -> dict[str, str]:
    flags = dict(_FEATURE_FLAGS)
    for variable in assignment.variables:
        if variable.key in flags:
            flags[variable.key] = variable.value.lower() in _TRUE
    flags.update(dict(registration.feature_flags))
    return {name: str(is_on).lower() for name, is_on in flags.items()}


def with_expanded_names(job: JobDefinition, variables: JobVariables) -> JobDefinition:
    """Return the job with image and service names and aliases expanded, as at a job's start."""

    def expanded(image: Image) -> Image:
        return replace(
            image, name=variables.expand(image.name), alias=variables.expand(image.alias)
        )

    return replace(
        job,
        image=expanded(job.image) if job.image else None,
        services=tuple(expanded(service) for service in job.services),
    )


def custom_environment(variables: JobVariables, job: JobDefinition) -> dict[str, str]:
    """Return the CUSTOM_ENV_* variables of a call; file variables appear as their content."""
    environment = {
        f"CUSTOM_ENV_{variable.key}": variable.value for variable in variables.expanded()
    }
    environment["CUSTOM_ENV_CI_JOB_SERVICES"] = _services_json(job.services, variables)
    return environment


def _services_json(services: Iterable[Image], variables: JobVariables) -> str:
    described = [_service(service, variables) for service in services]
    return go_json(described) if described else ""


def _service(service: Image, variables: JobVariables) -> dict[str, object]:
    aliases = split_aliases(service.alias)
    fields: dict[str, object] = {
        "name": service.name,
        "alias": aliases[0] if aliases else "",
        "entrypoint": list(service.entrypoint) if service.entrypoint else None,
        "command": list(service.command) if service.command else None,
    }
    own = from_yaml(service.variables)
    if own:
        both = JobVariables((*variables.variables, *own), variables.temporary)
        fields["variables"] = {
            item.key: item.value if item.raw else both.expand(item.value) for item in own
        }
    return fields
