"""Who takes part in a measurement: runners at work, and what each does for a task."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker

from benchmarks import builds, places
from benchmarks.by_hand import REPOSITORY, Hand, by_embedded_runner
from benchmarks.figures import COLD, DOCKER, HAND, NETWORK, OURS, SERVICE, SHELL
from benchmarks.jobs import AT_ONCE, DIND, ECHO, GENERATIONS, LOG, MeasuredJob
from benchmarks.results import Figures, Task
from benchmarks.stage_cost import Version
from tests.gitlab import runner, sources
from tests.rig.state import Rig

Measure = Callable[[Task], Figures]


@contextlib.contextmanager
def one_by_one(rig: Rig, dind: str, directory: Path) -> Iterator[Measure]:
    """Have jobs run one after the other, by everybody."""
    generation = GENERATIONS[dind]
    jobs: Mapping[str, MeasuredJob] = {"echo": ECHO, "dind": DIND}
    with contextlib.ExitStack() as stack:
        client = docker.DockerClient(base_url=rig.engine_host)
        stack.callback(client.close)
        hand = Hand(client, rig, generation)
        settings = {
            who: places.write_settings(rig, generation, directory, mode=mode)
            for who, mode in {OURS: "always", SERVICE: "service"}.items()
        }
        (directory / "network").mkdir()
        settings[NETWORK] = places.write_settings(
            rig, generation, directory / "network", mode="always", docker={"keep_network": True}
        )
        project = sources.commit(rig.project, directory / "project").directory
        working = {}
        if runner.is_there():
            hooks = _installed(directory).hooks
            tables = {
                SHELL: runner.shell(directory / "shell"),
                DOCKER: places.docker_executor(rig, generation),
                **{who: runner.custom(path, hooks) for who, path in settings.items()},
            }
            working = {
                who: stack.enter_context(
                    places.working(
                        rig,
                        table,
                        directory / who.replace(" ", "-"),
                        log=places.log_of(settings[who]) if who in settings else None,
                    )
                )
                for who, table in tables.items()
            }

        def measure(task: Task) -> Figures:
            job = jobs[task.case]
            if task.who == HAND:
                return hand.run(job)
            if task.who in working:
                return working[task.who].run(job.pipeline(rig, generation))
            return by_embedded_runner(rig, job, generation, settings[task.who], project)

        yield measure


@contextlib.contextmanager
def at_once(rig: Rig, dind: str, directory: Path) -> Iterator[Measure]:
    """Have many jobs run at the same time."""
    hooks = _installed(directory).hooks
    with _both(rig, dind, directory, max(AT_ONCE), hooks) as working:
        pipeline = DIND.pipeline(rig, GENERATIONS[dind])
        yield lambda task: working[task.who].run(pipeline, int(task.case))


@contextlib.contextmanager
def long_log(rig: Rig, dind: str, directory: Path) -> Iterator[Measure]:
    """Have a job print much."""
    hooks = _installed(directory).hooks
    with (
        _both(rig, dind, directory, 1, hooks) as working,
        places.working(rig, runner.shell(directory / "shell"), directory / "by-shell") as shell,
    ):
        pipeline = LOG.pipeline(rig, GENERATIONS[dind])
        yield lambda task: {**working, SHELL: shell}[task.who].run(pipeline)


@contextlib.contextmanager
def kept_layers(rig: Rig, dind: str, directory: Path) -> Iterator[Measure]:
    """Have one Dockerfile built, with a store that stays and without one."""
    generation = GENERATIONS[dind]
    builds.ensure_base(rig)
    (directory / "kept").mkdir()
    settings = places.write_settings(
        rig, generation, directory / "kept", mode="always", dind={builds.KEY: True}
    )
    hooks = _installed(directory).hooks
    with (
        _both(rig, dind, directory, 1, hooks) as cold,
        places.working(rig, runner.custom(settings, hooks), directory / "kept") as kept,
    ):

        def measure(task: Task) -> Figures:
            place = cold[task.who] if task.case.startswith(COLD) else kept
            return place.run(builds.pipeline(task.case, rig, generation))

        yield measure


@contextlib.contextmanager
def program(_: Rig, __: str, directory: Path) -> Iterator[Measure]:
    """Have dind-executor's own program installed, without an engine."""
    version = _installed(directory)
    yield lambda task: {"wall": version.seconds(task.case)}


def _installed(directory: Path) -> Version:
    """Return this version as an administrator has it: a developer's starts of Python take longer."""
    return Version("after", REPOSITORY, directory / "installed")


@contextlib.contextmanager
def _both(
    rig: Rig, dind: str, directory: Path, concurrent: int, hooks: Path
) -> Iterator[Mapping[str, places.Place]]:
    """Have a runner of each of the two executors work."""
    generation = GENERATIONS[dind]
    settings = places.write_settings(rig, generation, directory, mode="always")
    docker_executor = places.docker_executor(rig, generation)
    with (
        places.working(rig, docker_executor, directory / "docker", concurrent) as theirs,
        places.working(rig, runner.custom(settings, hooks), directory / "ours", concurrent) as ours,
    ):
        yield {DOCKER: theirs, OURS: ours}
