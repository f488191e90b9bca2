"""The variables of the build container, for its entrypoint: the scripts bring their own.

Pure: no I/O.
"""

from executor.plan.inputs import Inputs
from executor.plan.services import Transport
from executor.shell import DOCKER_CONFIG

_NOT_THE_JOBS = ("CI_JOB_SERVICES",)
"""What gitlab-runner tells custom executors alone."""


def build_environment(
    inputs: Inputs, way: Transport | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return all variables of the job, and Docker's: what may show to everyone, and the rest.

    The rest is what is masked or not public, and what gitlab-runner's operator set, who may have
    put a password there.
    """
    public = inputs.public_environment
    shown, hidden = inputs.split(public)
    for key in inputs.values:
        variable = inputs.variables.get(key)
        if key not in _NOT_THE_JOBS and (variable.secret if variable else key not in public):
            hidden[key] = inputs.value(key)
            shown.pop(key, None)
    ours = {"DOCKER_CONFIG": DOCKER_CONFIG, **(way.client_environment() if way else {})}
    return {**ours, **shown}, hidden
