"""An engine that restarts, or takes its time, leaves nothing of a job behind."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import LONGEST_SECONDS
from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest
from tests.stages.slow_engine import SlowEngine
from tests.stages.witness import Witness, eventually

CREATE = "POST .*/containers/create"


@pytest.fixture
def engine(rig: Rig, tmp_path: Path) -> Iterator[SlowEngine]:
    """Return the rig's engine behind an address of its own."""
    found = SlowEngine(tmp_path / "engine.sock", rig.engine_host)
    yield found
    found.go_on.set()


def on(engine: SlowEngine) -> Changes:
    """Return settings of a job that uses this engine, and no dind."""
    return {"dind": {"mode": "service"}, "docker": {"host": engine.host}}


def test_cleanup_waits_for_an_engine_that_restarts(
    engine: SlowEngine, start: Start, witness: Witness
) -> None:
    """Its restart ended the job, and cleanup, which is called once only, comes before it is back."""
    job = start(JobRequest(), on(engine))
    job.config().passed()
    job.prepare().passed()
    engine.go()
    running = job.start("cleanup")
    threading.Timer(2.0, engine.come).start()
    assert running.finish().passed().output == ""
    assert witness.objects(job.id) == []


def test_a_container_in_the_making_when_run_is_cancelled(
    engine: SlowEngine, start: Start, witness: Witness
) -> None:
    """The call ends when the engine is done with it, so cleanup finds it."""
    job = start(JobRequest(), on(engine))
    job.up()
    witness.container(job.id, "build").remove(force=True)
    engine.hold(CREATE)
    running = job.start_run("after_script", job.authors("echo never"))
    assert engine.asked.wait(LONGEST_SECONDS)
    running.signal(signal.SIGTERM)
    threading.Timer(1.0, engine.go_on.set).start()
    assert running.finish().code == SYSTEM_FAILURE
    assert engine.done.is_set()
    job.cleanup().passed()
    assert witness.objects(job.id) == []


def test_a_container_in_the_making_when_prepare_is_killed(
    engine: SlowEngine, start: Start, witness: Witness
) -> None:
    """A killed stage can wait for nothing; cleanup does, longer than an engine takes."""
    job = start(JobRequest(), on(engine))
    job.config().passed()
    engine.hold(CREATE)
    running = job.start("prepare")
    assert engine.asked.wait(LONGEST_SECONDS)
    running.signal(signal.SIGKILL)
    running.finish()
    cleanup = job.start("cleanup")
    network = f"network dind-executor-{job.id}-"
    eventually(
        lambda: not any(each.startswith(network) for each in witness.objects(job.id)),
        "cleanup has looked",
    )
    threading.Timer(6.0, engine.go_on.set).start()
    cleanup.finish().passed()
    assert engine.done.is_set()
    assert witness.objects(job.id) == []
