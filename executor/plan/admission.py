"""The user that a job's scripts run as: pure."""

from executor.errors import PolicyViolation
from executor.notation.expansion import expand
from executor.plan.inputs import Inputs
from executor.plan.pull_policies import go_list


def build_user(inputs: Inputs) -> str:
    """Return the user of the build container; empty stands for the image's own.

    The operator's `user` goes before the job's.  Raises PolicyViolation where `allowed_users` does
    not admit it.
    """
    docker = inputs.settings.docker
    user = docker.images.user or expand(inputs.job.image.user, inputs.value)
    allowed = docker.images.allowed_users or (
        () if not docker.images.user else (docker.images.user,)
    )
    if not user or not allowed or user in allowed:
        return user
    raise PolicyViolation(f'user "{user}" is not an allowed user: {go_list(allowed)}.')
