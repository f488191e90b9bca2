"""Which values of a job are secret.

Pure: no I/O.
"""

import base64
from collections.abc import Iterable, Mapping

from executor.docker_config import Credential
from executor.job import Job, Variable
from executor.variables import expand

_SHORTEST = 4
"""Shorter values are not searched for in texts: they would mask every second word."""
_SHORTEST_PRIVATE = 8
"""The same for a value that is private and not masked; GitLab masks none that is shorter.

GitLab calls all variables of projects and groups private, also those whose value is `true` or
`main`.  Whatever refers to one by name counts as secret all the same.
"""
_GITLABS_OWN = ("CI_", "GITLAB_")


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
    told = _told(job, values)
    kept = {each for each in _with_lines(found) if len(each) >= _SHORTEST}
    kept |= {
        each for each in _with_lines(private) if len(each) >= _SHORTEST_PRIVATE and each not in told
    }
    return tuple(sorted(kept, key=len, reverse=True))


def referring_keys(
    job: Job, values: Mapping[str, str], variables: Iterable[Variable]
) -> frozenset[str]:
    """Return which of these variables refer to a secret one, however short its value is."""
    told = _told(job, values)
    last = {each.key: each for each in job.variables}
    secret = set(job.secret_keys)
    for key, variable in last.items():
        value = values.get(key, variable.value)
        if variable.masked or (variable.secret and value not in told):
            secret.add(key)
    return frozenset(each.key for each in variables if not secret.isdisjoint(_references(each)))


def _references(variable: Variable) -> set[str]:
    if variable.raw:
        return set()
    names: set[str] = set()

    def lookup(name: str) -> str:
        names.add(name)
        return ""

    expand(variable.value, lookup)
    return names


def _told(job: Job, values: Mapping[str, str]) -> str:
    """Return what GitLab and gitlab-runner say of the job to everyone: none of it is a secret."""
    last = {each.key: each for each in job.variables}
    public = (
        value
        for key, value in values.items()
        if key.startswith(_GITLABS_OWN)
        and key not in job.secret_keys
        and not (key in last and last[key].secret)
    )
    return "\n".join(public)


def _with_lines(texts: Iterable[str]) -> set[str]:
    return {
        each for text in texts for each in (text, *(line.strip() for line in text.splitlines()))
    }
