"""Which values of a job are secret.

Pure: no I/O.
"""

import base64
from collections.abc import Iterable, Mapping

from executor.notation.docker_config import Credential
from executor.notation.expansion import expand
from executor.runner.payload import Job, Variable

_SHORTEST = 4
"""Shorter values are not searched for in texts: they would mask every second word."""
_SHORTEST_PRIVATE = 8
"""The same for a value that is private and not masked; GitLab masks none that is shorter.

GitLab calls all variables of projects and groups private, also those whose value is `true` or
`main`.  Whatever refers to one by name counts as secret all the same.
"""
_GITLABS_WORDS = frozenset(
    [
        "CI_API_V4_URL",
        "CI_COMMIT_AUTHOR",
        "CI_COMMIT_BRANCH",
        "CI_COMMIT_REF_NAME",
        "CI_COMMIT_REF_SLUG",
        "CI_COMMIT_SHA",
        "CI_COMMIT_SHORT_SHA",
        "CI_COMMIT_TAG",
        "CI_DEFAULT_BRANCH",
        "CI_DEPENDENCY_PROXY_SERVER",
        "CI_ENVIRONMENT_NAME",
        "CI_ENVIRONMENT_SLUG",
        "CI_ENVIRONMENT_TIER",
        "CI_ENVIRONMENT_URL",
        "CI_JOB_NAME",
        "CI_JOB_NAME_SLUG",
        "CI_JOB_STAGE",
        "CI_PAGES_DOMAIN",
        "CI_PAGES_URL",
        "CI_PIPELINE_SOURCE",
        "CI_PROJECT_NAME",
        "CI_PROJECT_NAMESPACE",
        "CI_PROJECT_PATH",
        "CI_PROJECT_PATH_SLUG",
        "CI_PROJECT_ROOT_NAMESPACE",
        "CI_PROJECT_TITLE",
        "CI_PROJECT_URL",
        "CI_REGISTRY",
        "CI_REGISTRY_IMAGE",
        "CI_REGISTRY_USER",
        "CI_SERVER_FQDN",
        "CI_SERVER_HOST",
        "CI_SERVER_URL",
        "GITLAB_USER_EMAIL",
        "GITLAB_USER_LOGIN",
        "GITLAB_USER_NAME",
    ]
)
"""What GitLab says to everyone of a job: a private variable of the same value keeps no secret."""


def secret_values(
    job: Job, values: Mapping[str, str], credentials: Iterable[Credential] = ()
) -> tuple[str, ...]:
    """Return every secret value of a job, longest first, so that one in another goes whole.

    `values` are the variables as gitlab-runner expanded them, `credentials` the registry logins
    that the job may use.
    """
    found = {job.token, *(values.get(key, "") for key in job.secret_keys)}
    private: set[str] = set()
    for variable in job.variables:
        if variable.secret:
            place = found if variable.masked else private
            place |= {variable.value, values.get(variable.key, "")}
    for service in (job.image, *job.services):
        found |= {each.value for each in service.variables if each.masked}
    credentials = tuple(credentials)
    found |= {each.identity_token for each in credentials}
    logins = [(each.username, each.password) for each in job.registries]
    logins += [(each.username, each.password) for each in credentials]
    for username, password in logins:
        pair = f"{username}:{password}"
        found |= {password, base64.b64encode(pair.encode()).decode()} if password else set()
    told = told_values(job)
    kept = {each for each in _with_lines(found) if len(each) >= _SHORTEST}
    kept |= {
        each for each in _with_lines(private) if len(each) >= _SHORTEST_PRIVATE and each not in told
    }
    return tuple(sorted(kept, key=len, reverse=True))


def secret_keys(job: Job, values: Mapping[str, str]) -> frozenset[str]:
    """Return the names of a job's secret variables, however short their values are."""
    told = told_values(job)
    last = {each.key: each for each in job.variables}
    secret = set(job.secret_keys)
    for key, variable in last.items():
        value = values.get(key, variable.value)
        if variable.masked or (variable.secret and value not in told):
            secret.add(key)
    return frozenset(secret)


def referring_keys(variables: Iterable[Variable], secret: frozenset[str]) -> frozenset[str]:
    """Return which of these variables refer to one of the `secret` ones."""
    return frozenset(each.key for each in variables if not secret.isdisjoint(_references(each)))


def _references(variable: Variable) -> set[str]:
    if variable.raw or "$" not in variable.value:
        return set()
    names: set[str] = set()

    def lookup(name: str) -> str:
        names.add(name)
        return ""

    expand(variable.value, lookup)
    return names


def told_values(job: Job) -> frozenset[str]:
    """Return the values that everyone knows.

    Of several variables of a name the first is GitLab's own: an author's comes after it.
    """
    first: dict[str, Variable] = {}
    for each in job.variables:
        first.setdefault(each.key, each)
    return frozenset(
        first[key].value for key in _GITLABS_WORDS if key in first and not first[key].secret
    )


def _with_lines(texts: Iterable[str]) -> set[str]:
    return {
        each for text in texts for each in (text, *(line.strip() for line in text.splitlines()))
    }
