"""prepare: makes everything that a job needs, as parallel as its dependencies allow."""

import time
from collections.abc import Callable
from typing import NamedTuple

from executor.budgets.records import Records
from executor.dataclass import replace
from executor.engine.docker import Engine
from executor.log import AdministratorLog, say
from executor.plan.images import for_engine, plan_images
from executor.plan.inputs import Facts, Inputs
from executor.plan.sidecar import choose_sidecar
from executor.reading import read_basics, read_inputs
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.runner.making import Making, begin_making
from executor.runner.sources_note import forget_sources
from executor.spec import ImagePlan
from executor.stages.context import engine_of
from executor.stages.owner import in_container, leave_owner
from executor.stages.prepare.builds import builds_are_taken
from executor.stages.prepare.certificates import JobCertificates
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.disk import Disk
from executor.stages.prepare.docker_host import DockerHost
from executor.stages.prepare.images import Pulls
from executor.stages.prepare.network import JobNetwork
from executor.stages.prepare.sources import choose_sources
from executor.stages.prepare.steps import Steps
from executor.stages.prepare.sweep import sweep_beside
from executor.tasks import Task


def main(env: RunnerEnv, args: list[str], log: AdministratorLog) -> None:
    """Make the job's environment; dind may still be booting when this returns."""
    basics = read_basics(env, args)
    basics.context.open(log, gitlab=basics.belonging.gitlab)
    leave_owner(basics.belonging)
    engine = engine_of(basics.context)
    disk = Disk(engine, env, basics, log)
    inputs = read_inputs(env, basics)
    log.hide(inputs.secrets)
    log.done("job read", log.started)
    images = plan_images(inputs)
    _say_first(inputs, images, log)
    asked = time.monotonic()
    engine.connect()
    disk.make_room()
    inputs = _in_container(engine, inputs)
    log.done("engine asked", asked)
    begin_making(env.temp_dir)
    inputs = choose_sources(engine, inputs, basics.context.host, env.temp_dir)
    steps = Steps(log)
    # Whatever ends this stage, nothing may appear after cleanup has looked.
    with Making(env.temp_dir, steps.close):
        fitting = for_engine(images, engine.architecture)
        sweep = sweep_beside(engine, env, basics, log)

        def beside() -> None:
            sweep()
            Task(disk.tidy)
            import executor.record.meanwhile  # noqa: F401, PLC0415 (while the containers start)

        records = Records(basics.settings.sweep.state_dir, basics.context.host)
        disk.leave_watch(inputs.volumes)
        job = _Job(inputs, fitting, env.temp_dir, disk, records)
        _make(engine, job, steps, beside)
    if basics.settings.log.job_summary:
        from executor.stages.prepare.costs import leave_costs  # noqa: PLC0415 (at the end)

        leave_costs(env.temp_dir, inputs.names, log)


def _in_container(engine: Engine, inputs: Inputs) -> Inputs:
    """Return the inputs with the container of this engine that gitlab-runner runs in, if it does."""
    belonging = in_container(engine, inputs.belonging)
    if belonging is inputs.belonging:
        return inputs
    leave_owner(belonging)
    return replace(inputs, belonging=belonging)


class _Job(NamedTuple):
    """What everything is made from, and what is told of it."""

    inputs: Inputs
    images: ImagePlan
    temp_dir: str
    disk: Disk
    records: Records


def _make(engine: Engine, job: _Job, steps: Steps, beside: Callable[[], object]) -> None:
    """Make everything, beginning with what depends on nothing; raises the first error."""
    inputs, images, temp_dir, disk, records = job
    claims = Claims(engine, inputs, images, steps)
    network = JobNetwork(engine, inputs, steps, claims.network_taken_by)
    certificates = JobCertificates(inputs, images, steps.log)
    host = DockerHost(inputs, images)
    readable = steps.log.readable
    pulls = Pulls(engine, inputs.catalogue, steps.log, lambda text: say(readable(text)), records)
    pulls.begin(images)
    # Loaded while the engine is at it.
    from executor.plan.environment import plan_environment  # noqa: PLC0415
    from executor.plan.services import shown_services  # noqa: PLC0415
    from executor.stages.prepare.containers import Containers  # noqa: PLC0415
    from executor.stages.prepare.layers import KeptLayers  # noqa: PLC0415
    from executor.stages.prepare.services import show_logs  # noqa: PLC0415
    from executor.stages.prepare.volumes import make_volumes  # noqa: PLC0415

    sidecar = choose_sidecar(inputs, images, {pull: pulls.facts(pull) for pull in images.services})
    if sidecar:
        pulls.task(sidecar.pull)
    around = network.surroundings()
    if engine.local and not around.in_reach:
        notes.leave(temp_dir, notes.OUT_OF_REACH)
    network.leave_note(temp_dir)
    facts = Facts(
        around,
        certificates.of(sidecar, around.own_subnets, network.kept),
        builds_are_taken=builds_are_taken(engine, inputs, claims),
        docker_host_is_elsewhere=host.is_elsewhere(sidecar),
        kept_network=network.kept,
    )
    if facts.builds_are_taken:
        forget_sources(temp_dir)
    plan = plan_environment(inputs, images, sidecar, facts)
    for notice in plan.notices:
        if notice not in images.notices:  # else it was said before any image was pulled
            say(readable(notice))
    certificates.leave_client(temp_dir)
    volumes = Task(lambda: make_volumes(engine, plan.volumes, steps, records, claims.left))
    layers = KeptLayers(
        engine,
        inputs,
        claims,
        steps,
        records,
        temp_dir,
        lambda name: disk.leave_watch(inputs.volumes, name),
    )
    early = inputs.settings.dind.wait_until == "listens"
    containers = Containers(engine, steps, pulls, network, volumes, layers, temp_dir)
    wait_seconds = inputs.settings.docker.services.wait_for_services_timeout
    containers.start_all(plan, wait_seconds, beside, begins_early=early)
    asked_for = sidecar is not None and sidecar.own is not None
    shown = shown_services(inputs.values, inputs.settings, plan, with_dind=asked_for)
    show_logs(engine, temp_dir, shown)


def _say_first(inputs: Inputs, images: ImagePlan, log: AdministratorLog) -> None:
    for notice in images.notices:
        say(log.readable(notice))
    for warning in inputs.catalogue.warnings:
        say(log.readable(f"WARNING: {warning}"))
    say(f"Using dind-executor with image {images.build.image} ...")
