"""prepare: makes everything that a job needs, as parallel as its dependencies allow."""

import time
from collections.abc import Callable
from dataclasses import replace

from executor.engine.container_request import without_needless_secrets
from executor.engine.docker import Engine
from executor.engine.gate import Gate
from executor.engine.handover import StartedKeeper, StartedReceiver
from executor.errors import BuildFailure, ExecutorError, SettingsError, UnusableImage
from executor.log import AdministratorLog, say, write_through
from executor.notation.service_names import ServiceName
from executor.plan.certificates import certificate_names, certificate_seconds
from executor.plan.environment import plan_environment
from executor.plan.images import HELPER_KEY, for_architecture, helper_for, plan_images
from executor.plan.inputs import Facts, Inputs
from executor.plan.services import shown_services
from executor.plan.sidecar import choose_sidecar
from executor.reading import read_basics, read_inputs
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.runner.making import Making, begin_making
from executor.scripts.replacement import keep
from executor.services.health import HealthCheck, health_check
from executor.spec import Certificates, ContainerSpec, ImageFacts, ImagePlan, Plan, Pull
from executor.stages.context import engine_of
from executor.stages.prepare.builds import builds_are_taken
from executor.stages.prepare.certificates import mint
from executor.stages.prepare.images import Pulls
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.services import Waiting, show_logs
from executor.tasks import Task


def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
    """Make the job's environment; dind may still be booting when this returns."""
    basics = read_basics(env, args)
    log.open(basics.context.log, basics.job.id, basics.job.project_id)
    inputs = read_inputs(env, basics)
    log.hide(inputs.secrets)
    images = plan_images(inputs)
    _say_first(inputs, images)
    engine = engine_of(basics.context)
    engine.connect()
    begin_making(env.temp_dir)
    preparation = Preparation(engine, inputs, images, log)
    # Whatever ends this stage, nothing may appear after cleanup has looked.
    with Making(env.temp_dir, preparation.close):
        preparation.make(env.temp_dir)


class Preparation:
    """One job's environment in the making."""

    def __init__(
        self, engine: Engine, inputs: Inputs, images: ImagePlan, log: AdministratorLog
    ) -> None:
        """Keep what is needed; nothing has begun."""
        self._engine = engine
        self._inputs = inputs
        self._images = replace(
            images,
            helper=helper_for(images.helper, engine.architecture),
            runners_helper=helper_for(images.runners_helper, engine.architecture),
            helper_archive=for_architecture(images.helper_archive, engine.architecture),
        )
        self._pulls = Pulls(engine, inputs.catalogue, log, say)
        self._log = log
        self._gate = Gate()
        self._facts: dict[Pull, Task[ImageFacts]] = {}

    def make(self, temp_dir: str) -> None:
        """Make everything, beginning with what depends on nothing; raises the first error."""
        self._temp_dir = temp_dir
        self._network = JobNetwork(self._engine, self._inputs, self._step)
        default_dind = (self._images.default_dind,) if self._images.default_dind else ()
        may_have_dind = self._images.services or default_dind
        self._certificates = Task(self._mint) if may_have_dind else None
        for pull in (self._images.build, *self._images.services, *default_dind):
            self._need(pull)
        # After the others: an image that is also the job's is pulled whether it is there or not.
        images = self._images
        helper = Pull(images.helper, policies=images.helper_policies, chosen_by=HELPER_KEY)
        if helper not in self._facts:
            self._facts[helper] = Task(lambda: self._pulls.helper(helper, self._images))
        image_facts = {pull: self._facts[pull].result() for pull in self._images.services}
        sidecar = choose_sidecar(self._inputs, self._images, image_facts)
        if sidecar:
            self._need(sidecar.pull)
        needs_tls = sidecar is not None and sidecar.transport.tls
        certificates = self._certificates.result() if self._certificates and needs_tls else None
        facts = Facts(
            self._network.surroundings(),
            certificates,
            builds_are_taken=builds_are_taken(self._engine, self._inputs),
        )
        plan = plan_environment(self._inputs, self._images, sidecar, facts)
        for notice in plan.notices:
            say(notice)
        if certificates:
            notes.leave_all(temp_dir, notes.CLIENT, _client(certificates))
        self._apply(plan)
        asked_for = sidecar is not None and sidecar.own is not None
        shown = shown_services(
            self._inputs.values, self._inputs.settings, plan, with_dind=asked_for
        )
        show_logs(self._engine, temp_dir, shown)

    def close(self) -> bool:
        """Let nothing new begin, and wait for what is under way at the engine; see `Gate.close`."""
        return self._gate.close()

    def _apply(self, plan: Plan) -> None:
        self._volumes = self._task("volumes created", lambda: self._make_volumes(plan))
        helper = Task(lambda: self._up(plan.helper))
        containers = [helper, Task(lambda: self._up(plan.build))]
        # A service may run as a user who can write to a fresh volume only once it is opened.
        before_services = helper.result if plan.has_caches else _nothing
        timeout = self._inputs.settings.docker.services.wait_for_services_timeout
        waiting = Waiting(self._engine, self._log, timeout, plan.helper.name, helper)
        for spec in (*([plan.dind] if plan.dind else []), *plan.services):
            say(f"Starting service {ServiceName.parse(spec.image)}...")
            before = _nothing if spec is plan.dind else before_services
            started = Task(self._starter(spec, before))
            containers.append(started)
            if spec is not plan.dind:
                waiting.wait_for(self._checker(spec), started)
        waiting.announce()
        for container in containers:
            container.result()
        waiting.finish()

    def _checker(self, spec: ContainerSpec) -> Callable[[], HealthCheck]:
        """Return what says how to tell that a service is up, once its image is there."""
        facts = self._facts[Pull(spec.image, spec.platform)]
        name = str(ServiceName.parse(spec.image))
        return lambda: health_check(spec, facts.result(), name)

    def _make_volumes(self, plan: Plan) -> None:
        for spec in plan.volumes:
            self._engine.ensure_volume(spec)

    def _starter(self, spec: ContainerSpec, before: Callable[[], None]) -> Callable[[], None]:
        def start() -> None:
            before()
            self._up(spec)

        return start

    def _up(self, spec: ContainerSpec) -> None:
        """Create and start a container, and wait until it has what it is sent."""
        try:
            started, sending = self._network.holding(lambda: self._begin(spec))
        except UnusableImage as error:
            raise self._blamed(spec, error) from None
        if sending:
            sending.wait(write_through)
        self._log.done("container started", started, container=spec.name)

    def _begin(self, spec: ContainerSpec) -> tuple[float, StartedKeeper | StartedReceiver | None]:
        spec = self._create(spec)
        started = time.monotonic()
        with self._gate.passing():
            return started, self._engine.start(spec)

    def _create(self, spec: ContainerSpec) -> ContainerSpec:
        facts = self._facts[Pull(spec.image, spec.platform)].result()
        spec = without_needless_secrets(spec, facts)
        self._volumes.result()
        self._step(
            "container created",
            lambda: self._make_container(spec, facts),
            container=spec.name,
            image=facts.digest or facts.id,
        )
        return spec

    def _make_container(self, spec: ContainerSpec, facts: ImageFacts) -> None:
        request = self._engine.create(spec, facts)
        if spec.runs_scripts:
            keep(self._temp_dir, spec, request)

    def _task(self, event: str, function: Callable[[], None]) -> Task[None]:
        return Task(lambda: self._step(event, function))

    def _step(self, event: str, function: Callable[[], None], **facts: str) -> None:
        """Do one thing at the engine, unless the stage is at its end, and note it."""
        started = time.monotonic()
        with self._gate.passing():
            function()
        self._log.done(event, started, **facts)

    def _mint(self) -> Certificates:
        started = time.monotonic()
        inputs = self._inputs
        certificates = mint(certificate_names(inputs), certificate_seconds(inputs.job))
        self._log.done("certificates made", started)
        return certificates

    def _need(self, pull: Pull) -> None:
        if pull not in self._facts:
            self._facts[pull] = Task(lambda: self._pulls.fetch(pull))

    def _blamed(self, spec: ContainerSpec, error: BuildFailure) -> ExecutorError:
        """Return the error as the administrator's where the image is the settings' choice."""
        wanted = Pull(spec.image, spec.platform)
        key = next(pull.chosen_by for pull in self._facts if pull == wanted)
        return SettingsError(f"`{key}` of the runner's settings: {error}") if key else error


def _nothing() -> None:
    """Wait for nothing."""


def _say_first(inputs: Inputs, images: ImagePlan) -> None:
    for notice in images.notices:
        say(notice)
    for warning in inputs.catalogue.warnings:
        say(f"WARNING: {warning}")
    say(f"Using dind-executor with image {images.build.image} ...")


def _client(certificates: Certificates) -> dict[str, bytes]:
    """Return the driver's own client certificate, with which `run` asks whether dind is ready."""
    return {
        "ca.pem": certificates.ca,
        "cert.pem": certificates.client,
        "key.pem": certificates.client_key,
    }
