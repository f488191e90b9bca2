"""The sidecar on layers that an earlier job has left: one at a time, and without them if need be."""

import time
from collections.abc import Callable

from executor.budgets.records import Records
from executor.engine.docker import Engine
from executor.errors import Cancelled, EngineUnavailable, ExecutorError, ServiceNotReady
from executor.log import complain, say
from executor.plan.inputs import Inputs
from executor.plan.layers import plan_layers, store_of, with_store
from executor.services.dind_early import logs
from executor.spec import ContainerSpec, ImageFacts, VolumeSpec
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.steps import Steps

Up = Callable[[ContainerSpec], None]

_DROPPED = "dind-executor: layers dropped: "
"""What `layers.sh` prints before the reason."""
_LINES = 200
_FULL = "no space left on device"


class KeptLayers:
    """The layers of the job's slot: whether the sidecar has them, and what becomes of them."""

    def __init__(
        self,
        engine: Engine,
        inputs: Inputs,
        claims: Claims,
        steps: Steps,
        records: Records,
        temp_dir: str,
        watch: Callable[[str], None],
    ) -> None:
        """Keep what is needed; `watch` is told of the volume that the job fills."""
        self._engine = engine
        self._key = inputs.names.key
        self._seconds = inputs.settings.dind.ready_timeout
        self._layers = plan_layers(inputs)
        self._claims = claims
        self._steps = steps
        self._records = records
        self._temp_dir = temp_dir
        self._watch = watch
        self._store: VolumeSpec | None = None

    @property
    def are_used(self) -> bool:
        """Tell whether the sidecar has them."""
        return self._store is not None

    def on_store(self, spec: ContainerSpec, image: ImageFacts) -> ContainerSpec:
        """Return the sidecar on the slot's layers where it may have them, else as it is."""
        if self._layers is None:
            return spec
        store = store_of(self._layers, image)
        if other := self._taken_by(store):
            say(
                f"WARNING: Job {other} is still using the layers of this slot. This job's Docker daemon"
                " begins without any, and keeps none."
            )
            self._layers = None
            return spec
        self._store = store
        self._records.volumes_used((store.name,))
        self._watch(store.name)
        self._engine.ensure_volume(store)
        return with_store(spec, self._layers, store, image)

    def up(self, spec: ContainerSpec, up: Up) -> None:
        """Start the sidecar, and once more without layers where it does not come up on them.

        Returns once it answers, where it has layers: nobody may rely on it before.
        """
        try:
            up(spec)
            if self._store:
                self._wait(spec.name)
        except (Cancelled, EngineUnavailable):
            raise
        except ExecutorError as error:
            if self._store is None:
                raise
            self._without(spec, up, self._store, error)
        else:
            self._tell(spec.name)

    def _taken_by(self, store: VolumeSpec) -> str:
        """Return which job has the layers, or has left a container with them; "" where none has."""
        others = {self._claims.layers_taken_by()} - {""}
        # Once the claim is there: whoever comes later sees it.
        others |= self._engine.kept.keys_with(store.name) - {self._key}
        return next((each.partition("-")[0] or "of somebody" for each in sorted(others)), "")

    def _tell(self, container: str) -> None:
        """Say why there are no layers, where the sidecar itself has found them unusable."""
        if self._store is None:
            return
        for line in logs(self._engine, container, _LINES).splitlines():
            if line.startswith(_DROPPED):
                why = self._steps.log.readable(line.removeprefix(_DROPPED))
                self._warn(why)

    def _without(
        self, spec: ContainerSpec, up: Up, store: VolumeSpec, error: ExecutorError
    ) -> None:
        """Start the sidecar without layers, and remove those that are to blame."""
        self._layers = self._store = None
        self._engine.remove(spec.name, spec.labels)
        is_full = _FULL in str(error)
        if is_full:
            self._remove(store)
        up(spec)
        try:
            self._wait(spec.name)
        except ServiceNotReady:
            return  # they are not to blame; the first script that needs the sidecar says what is wrong
        self._warn(f"the Docker daemon does not start on them: {error}")
        if not is_full:
            self._remove(store)

    def _wait(self, container: str) -> None:
        from executor.services.readiness import wait_until_ready  # noqa: PLC0415 (for few jobs)

        started = time.monotonic()
        wait_until_ready(self._engine, container, self._temp_dir, self._seconds)
        self._steps.log.done("dind answered", started, container=container)

    def _warn(self, why: str) -> None:
        complain(
            "WARNING: This job's Docker daemon starts without the layers that this slot has kept:"
            f" {self._steps.log.readable(why)}"
        )
        self._steps.log.event("layers dropped", reason=why)

    def _remove(self, store: VolumeSpec) -> None:
        left = self._engine.kept.remove_volume(store.name)
        self._steps.log.event("layers removed", volume=store.name, left=left)
