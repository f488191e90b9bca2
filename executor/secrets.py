"""Which values of a job are secret.

Pure: no I/O.
"""

import base64
from collections.abc import Mapping

from executor.job import Job

_SHORTEST = 4
"""Shorter values are not searched for in texts: they would mask every second word."""


def secret_values(job: Job, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return every secret value of a job, longest first, so that one in another goes whole.

    `values` are the variables as gitlab-runner expanded them.
    """
    found = {job.token}
    for variable in job.variables:
        if variable.secret:
            found |= {variable.value, values.get(variable.key, "")}
    for service in (job.image, *job.services):
        found |= {each.value for each in service.variables if each.secret}
    for registry in job.registries:
        pair = f"{registry.username}:{registry.password}"
        found |= {registry.password, base64.b64encode(pair.encode()).decode()}
    for value in tuple(found):
        found |= {line.strip() for line in value.splitlines()}
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True))
