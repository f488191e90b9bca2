"""Cleanup leaves nothing of a job, whenever it comes, and nothing of another job is touched."""

import itertools
import signal
import threading
from pathlib import Path

import pytest

from tests.patience import LONGEST_SECONDS
from tests.rig.paths import LOGS
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, JobCalls, Running
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness


@pytest.fixture(scope="module")
def neighbour(start_standing: Start) -> JobCalls:
    """Return a job that lives beside those that are killed, with a dind of its own."""
    job = start_standing(JobRequest("docker:26.1-cli"))
    job.up()
    job.script("docker run -d --name lasting busybox sleep 3600").passed()
    return job


class Countdown:
    """Kills a stage when the engine has done so many things for its job."""

    def __init__(self, job: JobCalls, events: int) -> None:
        self._prefix = f"dind-executor-{job.id}-"
        self._left = events
        self._lock = threading.Lock()
        self._running: Running | None = None

    def begin(self, running: Running) -> None:
        """Take the stage that is to be killed."""
        with self._lock:
            self._running = running
            self._kill_if_due()

    def take(self, event: str) -> None:
        """Count an event of the engine's if it is about the job."""
        if self._prefix in event:
            with self._lock:
                self._left -= 1
                self._kill_if_due()

    def _kill_if_due(self) -> None:
        if self._left <= 0 and self._running:
            self._running.signal(signal.SIGKILL)


def test_a_prepare_that_dies_anywhere_leaves_nothing(
    start: Start, witness: Witness, neighbour: JobCalls, rig: Rig
) -> None:
    """Cleanup removes everything, whichever answer of the engine prepare was killed after."""
    beside = witness.objects(neighbour.id)
    ended: list[tuple[JobCalls, Running]] = []
    for events in itertools.count(0, step=6):
        services = [{"name": rig.special("tools/web:1")}]
        job = start(JobRequest("docker:26.1-cli", services=services))
        job.config().passed()
        countdown = Countdown(job, events)
        with witness.events(countdown.take):
            running = job.start("prepare")
            countdown.begin(running)
            code = running.finish().code
        # Each waits for what the engine may still be at, all of them at the same time.
        ended.append((job, job.start("cleanup")))
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert len(ended) > 4
    for _, cleanup in ended:
        cleanup.finish().passed()
    # A request that the engine was working on must not have come to its end after cleanup.
    assert [witness.objects(job.id) for job, _ in ended] == [[]] * len(ended)
    assert witness.objects(neighbour.id) == beside
    neighbour.script("docker ps -q --filter name=lasting | grep .").passed()


@pytest.mark.parametrize("events", [1, 4, 9])
def test_a_prepare_that_is_cancelled_leaves_nothing(
    start: Start, witness: Witness, events: int
) -> None:
    """prepare ends by itself after SIGTERM, and cleanup removes what it has made."""
    job = start(JobRequest("docker:26.1-cli"))
    job.config().passed()
    cancelled = threading.Event()
    prefix = f"dind-executor-{job.id}-"
    seen: list[str] = []

    def count(event: str) -> None:
        if prefix in event:
            seen.append(event)
            if len(seen) >= events:
                cancelled.set()

    with witness.events(count):
        running = job.start("prepare")
        assert cancelled.wait(LONGEST_SECONDS)
        running.signal(signal.SIGTERM)
        call = running.finish()
        made = witness.objects(job.id)
        assert (call.code, call.stderr) == (SYSTEM_FAILURE, "")
        assert made
        job.cleanup().passed()
    assert witness.objects(job.id) == []


def test_an_entrypoint_that_hangs_can_be_cancelled(start: Start, witness: Witness) -> None:
    """Prepare waits for the image's entrypoint, and a cancel is not made to wait with it."""
    options = {"entrypoint": ["sh", "-c", "echo still at it; sleep 3600"]}
    request = JobRequest("docker:26.1-cli", image_options=options)
    job = start(request, {"dind": {"mode": "service"}})
    job.config().passed()
    running = job.start("prepare")
    running.wait_for("still at it\n")
    running.signal(signal.SIGTERM)
    assert running.finish().code == SYSTEM_FAILURE
    job.cleanup().passed()
    assert witness.objects(job.id) == []


def test_prepare_can_be_repeated_without_cleanup(start: Start, witness: Witness) -> None:
    """A second attempt takes the place of the first one's things, and works."""
    job = start(JobRequest("docker:26.1-cli"))
    job.up()
    first = witness.objects(job.id)
    job.script("touch /tmp/of-the-first").passed()
    job.begin()
    job.up()
    assert witness.objects(job.id) == first
    job.script("test ! -e /tmp/of-the-first", "docker version").passed()
    assert [each.status for each in witness.containers(job.id)] == ["running"] * 3


def test_cleanup_can_be_repeated(start: Start, witness: Witness) -> None:
    """Cleanup succeeds silently after a whole job, after nothing, and a second time."""
    job = start(JobRequest(), {"dind": {"mode": "service"}})
    job.config().passed()
    calls = [job.cleanup()]
    job.up()
    calls += [job.cleanup(), job.cleanup()]
    assert [(call.code, call.output) for call in calls] == [(0, "")] * 3
    assert witness.objects(job.id) == []


def test_cleanup_comes_while_a_script_runs(start: Start, witness: Witness) -> None:
    """The old call ends and does not try again, and nothing is left, as after a timeout."""
    attempts = Variable("EXECUTOR_JOB_SECTION_ATTEMPTS", "3")
    job = start(JobRequest(variables=[attempts]), {"dind": {"mode": "service"}})
    job.up()
    running = job.start_run("build_script", job.authors("echo started", "sleep 3600"))
    running.wait_for("started\n")
    job.cleanup().passed()
    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert call.stderr.splitlines()[-1].startswith(
        "ERROR: Something removed the container dind-executor-"
    )
    assert witness.objects(job.id) == []


def test_cleanup_needs_neither_settings_nor_payload(start: Start, witness: Witness) -> None:
    """What config told is enough: a settings file that broke meanwhile keeps nothing alive."""
    job = start(JobRequest(), {"dind": {"mode": "service"}})
    job.up()
    job.settings.write_text("[docker\n", encoding="utf-8")
    job.response_file.write_text("{", encoding="utf-8")
    job.cleanup().passed()
    assert witness.objects(job.id) == []


def test_a_services_nameless_volumes_go_too(
    rig: Rig, start: Start, witness: Witness, images: Images
) -> None:
    """What an image declares as a volume carries no label, and is nobody's after the job.

    No label of the image's changes that: to keep them is the administrator's choice.
    """
    name = rig.special("tests/with-volume:1")
    changes = ("VOLUME /var/data", "LABEL dind-executor.volume-keep=true")
    images.publish(images.variant("alpine", "volume", *changes), name)
    services = [{"name": name, "command": ["sleep", "3600"]}]
    job = start(JobRequest(services=services), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    volumes = witness.volumes(job.id)
    assert len(volumes) == 2
    job.cleanup().passed()
    assert [name for name in volumes if witness.has_volume(name)] == []


def test_the_engine_logs_no_error_for_a_job_that_ends(
    start: Start, witness: Witness, rig: Rig
) -> None:
    """Its containers leave the network before cleanup, which takes none off that has left."""
    job = start(JobRequest("docker:26.1-cli", services=[{"name": rig.special("tools/web:1")}]))
    job.up()
    ids = [str(each.id) for each in witness.containers(job.id)]
    log = LOGS / "dockerd.log"
    began = log.stat().st_size
    job.run("cleanup_file_variables", "true\n").passed()
    job.cleanup().passed()
    errors = [line for line in _lines(log, began) if "returned error" in line]
    assert len(ids) == 4
    assert [line for line in errors if any(each in line for each in ids)] == []


def _lines(log: Path, began: int) -> list[str]:
    return log.read_bytes()[began:].decode(errors="replace").splitlines()
