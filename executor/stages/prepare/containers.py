"""The containers of a job: created, started, and sent what they need, all at the same time."""

import time
from collections.abc import Callable

from executor.engine.docker import Engine
from executor.engine.handover import StartedKeeper, StartedReceiver
from executor.errors import (
    Cancelled,
    EngineUnavailable,
    ExecutorError,
    NoShell,
    SettingsError,
    UnusableImage,
)
from executor.log import say, write_through
from executor.notation.service_names import ServiceName
from executor.plan.dind import require_root
from executor.plan.fitting import fitted
from executor.plan.service_secrets import without_secrets
from executor.runner import notes
from executor.scripts.replacement import keep
from executor.services.health import HealthCheck, health_check
from executor.spec import ContainerSpec, ImageFacts, Plan, Pull
from executor.stages.prepare.images import Pulls
from executor.stages.prepare.layers import KeptLayers
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.services import Waiting
from executor.stages.prepare.steps import Steps
from executor.tasks import Task


class Containers:
    """What every container of a job waits for: its image, the network and the volumes."""

    def __init__(
        self,
        engine: Engine,
        steps: Steps,
        pulls: Pulls,
        network: JobNetwork,
        volumes: Task[None],
        layers: KeptLayers,
        temp_dir: str,
    ) -> None:
        """Keep what is needed; nothing has begun."""
        self._engine = engine
        self._steps = steps
        self._pulls = pulls
        self._network = network
        self._volumes = volumes
        self._layers = layers
        self._temp_dir = temp_dir
        self._begins_early = False

    def start_all(
        self,
        plan: Plan,
        wait_seconds: int,
        beside: Callable[[], object],
        *,
        begins_early: bool = False,
    ) -> None:
        """Start every container of a plan, and wait for the services; raises the first error.

        dind may still be booting, unless it has kept layers: `run` waits for it, and `begins_early`
        tells whether a script may begin before it answers.  `beside` is called once all are under way.
        """
        self._begins_early = begins_early
        # First of all what takes the longest until it is of use.
        sidecar = []
        if plan.dind:
            up = self._up_or_without if plan.dind_is_optional else self._up_sidecar
            sidecar = [self._start_service(plan.dind, _nothing, up)]
        helper = Task(lambda: self._up(plan.helper))
        started = [helper, Task(lambda: self._up(plan.build)), *sidecar]
        waiting = Waiting(
            self._engine,
            self._steps.log,
            wait_seconds,
            plan.helper.name,
            helper,
            in_reach=self._network.surroundings().in_reach,
        )
        # A service may run as a user who can write to a fresh volume only once it is opened.
        before = helper.result if plan.has_caches else _nothing
        for spec in plan.services:
            service = self._start_service(spec, before, self._up)
            waiting.wait_for(self._check_of(spec), service)
            started.append(service)
        waiting.announce()
        beside()
        for container in started:
            container.result()
        waiting.finish()

    def _start_service(
        self, spec: ContainerSpec, before: Callable[[], None], up: Callable[[ContainerSpec], None]
    ) -> Task[None]:
        say(f"Starting service {ServiceName.parse(spec.image)}...")

        def start() -> None:
            before()
            up(spec)

        return Task(start)

    def _up_or_without(self, spec: ContainerSpec) -> None:
        """Start a sidecar for which no service is listed; one that cannot be had is a warning."""
        notes.leave(self._temp_dir, notes.OPTIONAL_DIND)  # also for one that cannot be removed
        try:
            self._up_sidecar(spec)
        except (Cancelled, EngineUnavailable):
            raise
        except ExecutorError as error:
            from executor.stages.dind_absence import (  # noqa: PLC0415 (rarely needed)
                go_without_dind,
            )

            go_without_dind(self._engine, spec.name, spec.labels, error, self._steps.log)

    def _up_sidecar(self, spec: ContainerSpec) -> None:
        self._layers.up(spec, self._up)

    def _check_of(self, spec: ContainerSpec) -> Callable[[], HealthCheck]:
        """Return what says how to tell that a service is up, once its image is there."""
        name = str(ServiceName.parse(spec.image))
        return lambda: health_check(spec, self._facts(spec), name)

    def _facts(self, spec: ContainerSpec) -> ImageFacts:
        return self._pulls.facts(Pull(spec.image, spec.platform))

    def _up(self, spec: ContainerSpec) -> None:
        """Create and start a container, and wait until it has what it is sent."""
        try:
            started, sending = self._started(spec)
        except UnusableImage as error:
            raise self._blamed(spec, error) from None
        if sending:
            sending.wait(write_through)
        self._steps.log.done("container started", started, container=spec.name)

    def _started(self, spec: ContainerSpec) -> tuple[float, StartedKeeper | StartedReceiver | None]:
        """Create and start a container, one without a shell without what only that can take."""
        try:
            return self._network.holding(lambda: self._begin(spec))
        except NoShell:
            if spec.prelude or not spec.secret_environment:
                raise
        without, notice = without_secrets(spec)
        started = self._network.holding(lambda: self._begin(without))
        say(self._steps.log.readable(notice))
        return started

    def _begin(self, spec: ContainerSpec) -> tuple[float, StartedKeeper | StartedReceiver | None]:
        facts = self._facts(spec)
        if spec.prelude:  # dockerd's
            require_root(spec, facts)
            spec = self._layers.on_store(spec, facts)
        spec = fitted(spec, facts, keeps_layers=self._layers.are_used)
        self._volumes.result()
        self._steps.do(
            "container created",
            lambda: self._create(spec, facts),
            container=spec.name,
            image=facts.digest or facts.id,
        )
        started = time.monotonic()
        with self._steps.passing():
            sending = self._engine.start(spec)
        if spec.prelude and self._begins_early:
            notes.leave(self._temp_dir, notes.DIND_STARTED, str(time.monotonic()).encode())
        return started, sending

    def _create(self, spec: ContainerSpec, facts: ImageFacts) -> None:
        request = self._engine.create(spec, facts)
        if spec.runs_scripts:
            keep(self._temp_dir, spec, request)

    def _blamed(self, spec: ContainerSpec, error: UnusableImage) -> ExecutorError:
        """Return the error as the administrator's where the image is the settings' choice."""
        key = self._pulls.chosen_by(Pull(spec.image, spec.platform))
        return SettingsError(f"`{key}` of the runner's settings: {error}") if key else error


def _nothing() -> None:
    """Wait for nothing."""
