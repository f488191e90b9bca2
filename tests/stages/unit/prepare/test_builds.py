"""Whether another job uses the sources that this one would find again."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from executor.log import AdministratorLog
from executor.names import LABEL
from executor.plan.images import plan_images
from executor.plan.inputs import Inputs
from executor.stages.prepare.builds import builds_are_taken
from executor.stages.prepare.claims import Claims
from executor.stages.prepare.steps import Steps
from tests.builders import fetching, some_inputs
from tests.engine.stub import StubEngine, http, refusal

RUNNING = "/containers/json"


def is_taken(stub: StubEngine, inputs: Inputs) -> bool:
    """Look at the builds directory, with the job's claims as prepare has them."""
    steps = Steps(AdministratorLog("prepare"))
    claims = Claims(stub.engine(), inputs, plan_images(inputs), steps)
    claims.left()
    return builds_are_taken(stub.engine(), inputs, claims)


@pytest.fixture(autouse=True)
def volumes(stub: StubEngine) -> None:
    """Let whoever claims something have it."""
    stub.on("POST", "/volumes/create", http(201, {}))
    stub.on("GET", "/volumes/", http(404, {"message": "no such volume"}))


def running(*keys: str) -> bytes:
    """Return the engine's list of running containers of jobs with these keys."""
    return http(200, [{"Id": key, "Labels": {LABEL: key}} for key in keys])


def test_nobody_else_uses_them(stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> None:
    """The engine is asked for what runs with the very volume, and nothing is said."""
    inputs = fetching()
    stub.on("GET", RUNNING, running())

    assert not is_taken(stub, inputs)

    (asked,) = stub.asked("GET", RUNNING)
    (filters,) = parse_qs(urlsplit(asked.path).query)["filters"]
    assert json.loads(filters) == {"volume": [inputs.volumes.builds.source], "status": ["running"]}
    assert capfd.readouterr() == ("", "")


def test_the_jobs_own_containers_do_not_count(stub: StubEngine) -> None:
    """A second attempt of prepare finds what the first one has made."""
    inputs = fetching()
    stub.on("GET", RUNNING, running(inputs.names.key))

    assert not is_taken(stub, inputs)


def test_another_job_uses_them(stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> None:
    """The author reads which job that is, and that the sources are cloned."""
    inputs = fetching()
    stub.on("GET", RUNNING, running(inputs.names.key, "4712-abc"))

    assert is_taken(stub, inputs)
    out, _ = capfd.readouterr()
    assert out.startswith("WARNING: ")
    assert "ob 4712 " in out


def test_containers_of_nobodys_are_no_jobs(stub: StubEngine) -> None:
    """An administrator may look into a volume with a container of their own."""
    stub.on("GET", RUNNING, http(200, [{"Labels": None}, {"Labels": {"other": "x"}}, {}]))

    assert not is_taken(stub, fetching())


@pytest.mark.parametrize("answer", [refusal(500, "no"), http(200, {})])
def test_an_engine_that_does_not_tell(stub: StubEngine, answer: bytes) -> None:
    """The job goes on with the sources, as it does without any other job."""
    stub.on("GET", RUNNING, answer)

    assert not is_taken(stub, fetching())


def test_sources_that_go_with_the_job_are_nobody_elses(stub: StubEngine) -> None:
    """The engine is not even asked about a volume that is made for the job."""
    assert not is_taken(stub, some_inputs(values={"GIT_STRATEGY": "clone"}))
    assert [each.path for each in stub.received] == ["/volumes/create"]


def test_another_job_has_claimed_them(stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> None:
    """It has no container yet, and the words are the same."""
    stub.on("GET", RUNNING, running())
    stub.on("POST", "/volumes/create", http(201, {"Labels": {LABEL: "4712-abc"}}))

    assert is_taken(stub, fetching())
    assert "ob 4712 " in capfd.readouterr()[0]
