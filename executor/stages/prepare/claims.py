"""What a job claims before it uses anything that is kept: see `budgets.claims`."""

from collections.abc import Mapping

from executor.budgets.claims import claim, of_image, of_network, of_volume, uses
from executor.engine.docker import Engine
from executor.names import LABEL
from executor.notation.owner import parse_belonging
from executor.plan.inputs import Inputs
from executor.plan.kept_networks import kept_name
from executor.plan.layers import plan_layers
from executor.spec import ImagePlan
from executor.stages.prepare.steps import Steps
from executor.tasks import Task


class Claims:
    """The claims of one job, in the making."""

    def __init__(self, engine: Engine, inputs: Inputs, images: ImagePlan, steps: Steps) -> None:
        """Begin to leave them."""
        self._engine = engine
        self._inputs = inputs
        self._images = images
        self._left = Task(lambda: steps.do("claims left", self._leave))
        builds = inputs.volumes.builds
        self._builds = (
            Task(lambda: steps.do("builds claimed", lambda: self._claim(builds.source)))
            if builds.lasts
            else None
        )
        layers = plan_layers(inputs)
        self._layers = (
            Task(lambda: steps.do("layers claimed", lambda: self._claim(layers.claimed)))
            if layers and images.may_have_dind
            else None
        )
        network = kept_name(inputs)
        self._network = (
            Task(lambda: steps.do("network claimed", lambda: self._claim_network(network)))
            if network
            else None
        )

    def left(self) -> None:
        """Wait until everybody sees what this job uses."""
        self._left.result()

    def builds_taken_by(self) -> str:
        """Return the key of the job that has the builds directory, "" where it is this job's."""
        return self._builds.result() if self._builds else ""

    def layers_taken_by(self) -> str:
        """Return the key of the job that has the slot's layers, "" where they are this job's."""
        return self._layers.result() if self._layers else ""

    def network_taken_by(self) -> str:
        """Return the key of the job that has the slot's network, "" where it is this job's."""
        return self._network.result() if self._network else ""

    def _leave(self) -> None:
        """Say what this job uses beside others, on the first volume that it makes anyway."""
        inputs, images = self._inputs, self._images
        names = inputs.names
        pulls = (images.build, *images.services, images.default_dind)
        kept = (each.name for each in inputs.volumes.specs if LABEL not in each.labels)
        label = uses(
            (
                *(of_image(each.image) for each in pulls if each),
                of_image(images.helper),
                *map(of_volume, kept),
            )
        )
        name = names.docker_volume if images.may_have_dind else f"{names.network}-uses"
        self._engine.kept.claim(name, {**inputs.labels("volume"), **label})

    def _claim(self, volume: str) -> str:
        """Claim a volume for this job alone; return the key of the job that has it, or ""."""
        labels = self._inputs.labels("claim")
        return claim(self._engine.kept, of_volume(volume), labels, self._is_over)

    def _claim_network(self, name: str) -> str:
        """Claim a network likewise; what a dead job has begun may still come to be on it."""
        labels = self._inputs.labels("claim")
        return claim(self._engine.kept, of_network(name), labels, lambda _labels: False)

    def _is_over(self, labels: Mapping[str, object]) -> bool:
        """Tell whether the gitlab-runner of the job with these labels is proved dead."""
        from executor.sweep.look import view_of  # noqa: PLC0415 (only where somebody has it)
        from executor.sweep.verdict import DEAD  # noqa: PLC0415

        belonging = parse_belonging(labels)
        if belonging is None:
            return False
        return view_of(self._engine).life_of(belonging.owner, belonging.container) in DEAD
