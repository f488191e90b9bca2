"""dockerd ends, begins anew, dies or does nothing for a while, under jobs in every stage."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.load.full_disk import Filling
from tests.rig.state import Rig
from tests.stages.calls import (
    BUILD_FAILURE,
    SYSTEM_FAILURE,
    JobCalls,
    Running,
    as_gitlab_runner,
    assert_error,
)
from tests.stages.conftest import Changes, Jobs, Start
from tests.stages.own_engine import OwnEngine, own_engine
from tests.stages.request import JobRequest, new_job_id
from tests.stages.test_kept_layers import made
from tests.stages.witness import Witness

Begin = Callable[[JobRequest], JobCalls]


@pytest.fixture(scope="module")
def engine(
    rig: Rig, witness: Witness, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnEngine]:
    """Return an engine that the tests of this module may do anything to."""
    directory, hostname = tmp_path_factory.mktemp("e"), os.uname().nodename
    with own_engine(rig, witness, directory, hostname=hostname) as found:
        yield found


@pytest.fixture
def there(engine: OwnEngine) -> Iterator[Witness]:
    """Return a witness of it."""
    witness = Witness(engine.host)
    yield witness
    witness.close()


@pytest.fixture
def begin(rig: Rig, engine: OwnEngine, there: Witness, tmp_path: Path) -> Iterator[Begin]:
    """Return what makes a job on it; after the test, nothing may be left of those that it made."""
    jobs = Jobs(rig, there, tmp_path / "jobs")
    (tmp_path / "jobs").mkdir()

    def start(request: JobRequest, changes: Changes | None = None) -> JobCalls:
        given = changes or {}
        dind = {**engine.changes["dind"], "mode": "service", **given.get("dind", {})}
        docker = {**engine.changes["docker"], **given.get("docker", {})}
        return jobs.start(request, {**engine.changes, "docker": docker, "dind": dind})

    yield start
    jobs.end()


class Hit:
    """Jobs that an engine's fault meets: in prepare, in a script, and between two sub-stages."""

    def __init__(self, begin: Begin, entrypoint: str, command: str) -> None:
        options = {"entrypoint": ["sh", "-c", f'echo still at it; {entrypoint}; exec "$@"', "sh"]}
        self.preparing = begin(JobRequest(image_options=options))
        self.scripting, self.waiting, self.ending = (begin(JobRequest()) for _ in range(3))
        for job in (self.scripting, self.waiting, self.ending):
            job.up()
        self.preparing.config().passed()
        self.prepare = self.preparing.start("prepare")
        self.prepare.wait_for("still at it\n")
        self.script = self.scripting.start_run(
            "build_script", self.scripting.authors("echo begun", command, "echo done")
        )
        self.script.wait_for("begun\n")

    def jobs(self) -> tuple[JobCalls, ...]:
        return self.preparing, self.scripting, self.waiting, self.ending

    def end(self, there: Witness) -> None:
        """Clean up, all at the same time; nothing is left then."""
        cleanups = [job.start("cleanup") for job in self.jobs()]
        for cleanup in cleanups:
            cleanup.finish().passed()
        assert [there.objects(job.id) for job in self.jobs()] == [[]] * 4


def assert_engines_fault(running: Running) -> None:
    """Assert that a stage ends by itself, and that the job log blames the engine."""
    assert_error(running.finish(), SYSTEM_FAILURE, "Docker Engine")


@pytest.mark.family(2)
@pytest.mark.parametrize("ends", [OwnEngine.stop, OwnEngine.crash], ids=["stopped", "killed"])
def test_an_engine_that_ends(
    engine: OwnEngine, begin: Begin, there: Witness, ends: Callable[[OwnEngine], None]
) -> None:
    """Whoever needs it says so at once; cleanup waits for it, and leaves nothing."""
    hit = Hit(begin, "sleep 3600", "sleep 3600")
    ends(engine)
    assert_engines_fault(hit.prepare)
    assert_engines_fault(hit.script)
    waiting = hit.waiting.start_run("build_script", hit.waiting.authors("echo never"))
    assert_engines_fault(waiting)
    ending = hit.ending.start("cleanup")
    engine.come()
    ending.finish().passed()
    hit.end(there)


def test_an_engine_that_restarts(engine: OwnEngine, begin: Begin, there: Witness) -> None:
    """What it interrupts fails as the engine's fault; a job between two sub-stages goes on."""
    hit = Hit(begin, "sleep 3600", "sleep 3600")
    engine.restart()
    assert_engines_fault(hit.prepare)
    assert_engines_fault(hit.script)
    call = hit.waiting.script("ls source.txt").passed()
    assert "was the Docker Engine restarted? A new container takes its place." in call.stderr
    assert call.stdout.endswith("source.txt\n")
    hit.end(there)


def test_an_engine_that_restarts_under_a_job_on_a_network_that_stays(
    engine: OwnEngine, begin: Start, there: Witness
) -> None:
    """The job goes on, alone on its network: the next one in its slot has its own."""
    slot = new_job_id()
    changes: Changes = {"docker": {"keep_network": True}}
    first, second = (begin(JobRequest(slot=slot), changes) for _ in range(2))
    first.up()
    engine.restart()
    second.up()
    first.script("true").passed()
    networks = [there.networks(each.id) for each in (first, second)]
    assert [len(each) for each in networks] == [1, 1]
    assert networks[0] != networks[1]


def test_an_engine_that_does_nothing_for_a_while(
    engine: OwnEngine, begin: Begin, there: Witness
) -> None:
    """Every stage waits for it, and ends as it would have."""
    hit = Hit(begin, "sleep 1", "sleep 1")
    engine.pause()
    waiting = hit.waiting.start_run("build_script", hit.waiting.authors("echo late"))
    ending = hit.ending.start("cleanup")
    # Nothing tells when a stage that waits has come to that.
    with pytest.raises(AssertionError, match="did not print"):
        waiting.wait_for("late\n", 3)
    engine.resume()
    for running in (hit.prepare, hit.script, waiting, ending):
        running.finish().passed()
    hit.end(there)


def test_a_disk_that_runs_full(engine: OwnEngine, begin: Begin, there: Witness) -> None:
    """Each stage says what is full, or needs no room; cleanup leaves nothing."""
    (running, replaced, new) = (begin(JobRequest()) for _ in range(3))
    for job in (running, replaced):
        job.up()
    there.container(replaced.id, "build").remove(force=True)
    with engine.full():
        running.script("echo works").passed()
        call = running.script("head -c 9999999 /dev/zero >big")
        assert (call.code, running.exit_code) == (BUILD_FAILURE, "1")
        call = replaced.script("echo never")
        assert_error(call, SYSTEM_FAILURE, "The disk of the Docker Engine's host is full: ")
        new.config().passed()
        assert_error(
            new.prepare(),
            SYSTEM_FAILURE,
            "The disk of the Docker Engine's host is full: 0 bytes are free in /var/lib/docker",
            "`dind-executor prune` has not run yet",
        )
        for job in (running, replaced, new):
            job.cleanup().passed()
        assert [there.objects(job.id) for job in (running, replaced, new)] == [[]] * 3


def test_a_job_that_fills_the_disk(rig: Rig, engine: OwnEngine, tmp_path: Path) -> None:
    """It alone is ended, with a sentence, and what it wrote goes; the job beside it passes."""
    (tmp_path / "filling").mkdir()
    filling = Filling(rig, engine, tmp_path / "filling", floor_mib=256)
    account = filling.run("a container of dind", others=1)
    filling.end()

    assert account.wrong == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have another boot's id")
def test_a_host_that_loses_power_under_kept_layers(
    rig: Rig, engine: OwnEngine, there: Witness, tmp_path: Path
) -> None:
    """What it kept is dropped, the next jobs build right, and the dead job's claim goes with it."""
    boot = tmp_path / "boot"
    boot.write_text("1b5d4c6e-7f3a-4c69-9a57-5f1f2f0f6a11\n")
    before = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
    jobs = Jobs(rig, there, tmp_path)
    dind = {**engine.changes["dind"], "keep_layers": True}
    state: Changes = {"sweep": {"state_dir": str(tmp_path / "state")}}

    def begin(*under: str) -> JobCalls:
        request = JobRequest("docker:26.1-cli", project_id=9105)
        job = jobs.start(request, {**engine.changes, **state, "dind": dind})
        job.under = under
        return job

    with as_gitlab_runner():
        first = begin("unshare", "--mount", "sh", "-c", before, "sh")
        first.up()
        built = made(first)
        # The second time it is no echo of the Dockerfile.
        build = "printf 'FROM debian:bookworm\\nRUN echo at it; sleep 999\\n' | docker build - 2>&1"
        going = first.start_run("build_script", first.authors(build))
        going.wait_for(" at it\n")
        engine.lose_power()
        assert_engines_fault(going)
        engine.inside(
            "for each in /var/lib/docker/volumes/*-layers-*/_data/*.boot; do echo 1 >$each; done"
        )
        engine.come()

        # As if this machine had begun after all that.
        seconds = 1 - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        after = [begin("unshare", "--time", "--fork", f"--boottime={seconds}") for _ in range(3)]
        said, found = [], []
        for job in after:
            said.append(job.up().output)
            found.append(made(job))
            job.cleanup().passed()
    # The first one may meet what is left of the dead job, and removes it.
    dropped = "the layers that this slot has kept: the host was restarted since"
    assert [dropped in each for each in said[:2]].count(True) == 1
    assert "WARNING" not in said[2]
    assert there.objects(first.id) == []
    assert built not in found
    assert found[2] == found[1]
    jobs.end()
