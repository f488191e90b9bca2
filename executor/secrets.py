"""Which values of a job are secret.

Pure: no I/O.
"""

import base64
from collections.abc import Iterable, Mapping

from executor.docker_config import Credential
from executor.job import Job

_SHORTEST = 4
"""Shorter values are not searched for in texts: they would mask every second word."""


def secret_values(
    job: Job, values: Mapping[str, str], credentials: Iterable[Credential] = ()
) -> tuple[str, ...]:
    """Return every secret value of a job, longest first, so that one in another goes whole.

    `values` are the variables as gitlab-runner expanded them, `credentials` the registry logins
    that the job may use.
    """
    found = {job.token, *(values.get(key, "") for key in job.secret_keys)}
    for variable in job.variables:
        if variable.secret:
            found |= {variable.value, values.get(variable.key, "")}
    for service in (job.image, *job.services):
        found |= {each.value for each in service.variables if each.secret}
    credentials = tuple(credentials)
    found |= {each.identity_token for each in credentials}
    logins = [(each.username, each.password) for each in job.registries]
    logins += [(each.username, each.password) for each in credentials]
    for username, password in logins:
        pair = f"{username}:{password}"
        found |= {password, base64.b64encode(pair.encode()).decode()} if password else set()
    for value in tuple(found):
        found |= {line.strip() for line in value.splitlines()}
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True))
