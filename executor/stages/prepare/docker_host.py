"""Looks whether the name in a job's DOCKER_HOST is that of a host elsewhere."""

from executor.host.network import resolves
from executor.plan.docker_host import asked_name
from executor.plan.inputs import Inputs
from executor.plan.sidecar import Sidecar
from executor.spec import ImagePlan
from executor.tasks import Task


class DockerHost:
    """The answer to it, looked for beside the rest and only where it counts."""

    def __init__(self, inputs: Inputs, images: ImagePlan) -> None:
        """Begin to look, where the job has services, of which one may be dind."""
        name = asked_name(inputs) if images.services else ""
        self._found = Task(lambda: resolves(name)) if name else None

    def is_elsewhere(self, sidecar: Sidecar | None) -> bool:
        """Wait for it; without a dind service of the job's it does not matter."""
        matters = sidecar is not None and sidecar.own is not None
        return bool(matters and self._found and self._found.result())
