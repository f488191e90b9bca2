"""A registry that breaks its answers: whose fault it is, and that the pull has an end."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE, Call, JobCalls, assert_error
from tests.stages.conftest import Changes, Jobs
from tests.stages.faulty_registry import FaultyRegistry, faulty
from tests.stages.own_engine import own_engine
from tests.stages.registry import Images, OwnRegistry
from tests.stages.request import JobRequest
from tests.stages.witness import Witness, eventually

FAULTS = {
    "429-of-manifest": "429",
    "429-of-layer": "429",
    "500-of-manifest": "500",
    "500-of-layer": "500",
    "502-of-manifest": "502",
    "503-of-layer": "503",
    "504-of-manifest": "504",
    "reset-of-manifest": "reset by peer",
    "reset-of-layer": "reset by peer",
    "truncated-of-manifest": "EOF",
    "truncated-of-layer": "EOF",
}
"""What the registry does to which answer, and how the engine calls that."""
STALLED = "stalled-of-layer"

Begin = Callable[[str], JobCalls]


@pytest.fixture(scope="module")
def registry(
    rig: Rig, images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultyRegistry]:
    """Return a registry that breaks its answers, with an image under every name."""
    sound = OwnRegistry(tmp_path_factory.mktemp("registry"))
    sound.start()
    for fault in (*FAULTS, STALLED):
        # The engine downloads a layer that two images have once only.
        images.publish(images.fresh(), f"{sound.host}/tests/{fault}:1")
    with faulty(rig.address, sound.host) as found:
        yield found
    sound.stop()


@pytest.fixture(scope="module")
def begin(
    rig: Rig, witness: Witness, registry: FaultyRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begin]:
    """Return what makes a job of an image of this registry, on an engine that tries a layer once."""
    arguments = ["--max-download-attempts=1", f"--insecure-registry={registry.host}"]
    with own_engine(rig, witness, tmp_path_factory.mktemp("e"), arguments=arguments) as engine:
        there = Witness(engine.host)
        jobs = Jobs(rig, there, tmp_path_factory.mktemp("jobs"))
        dind = {**engine.changes["dind"], "mode": "service"}
        changes: Changes = {**engine.changes, "dind": dind}

        def begin(fault: str) -> JobCalls:
            job = jobs.start(JobRequest(f"{registry.host}/tests/{fault}:1"), changes)
            job.config().passed()
            return job

        yield begin
        jobs.end()
        there.close()


@pytest.fixture(scope="module")
def calls(begin: Begin) -> dict[str, Call]:
    """Return what prepare said of each fault."""
    jobs = [begin(fault) for fault in FAULTS]
    with ThreadPoolExecutor(len(jobs)) as pool:
        return dict(zip(FAULTS, pool.map(JobCalls.prepare, jobs), strict=True))


@pytest.mark.parametrize("fault", FAULTS)
def test_whose_fault_it_is(calls: dict[str, Call], registry: FaultyRegistry, fault: str) -> None:
    """The author can do nothing about it; the message says what the registry of which image did."""
    name = f"{registry.host}/tests/{fault}:1"
    assert_error(
        calls[fault],
        SYSTEM_FAILURE,
        f'failed to pull image "{name}" with specified policies [always]: ',
        FAULTS[fault],
    )


def test_a_layer_that_stops_coming(begin: Begin, registry: FaultyRegistry) -> None:
    """A pull that goes on for ever can be cancelled; without that it ends by its own limit."""
    job = begin(STALLED)
    running = job.start("prepare")
    eventually(registry.stalled.is_set, "the engine has half of the layer")
    running.signal(signal.SIGTERM)
    call = running.finish()
    assert (call.code, call.stderr) == (SYSTEM_FAILURE, "")
