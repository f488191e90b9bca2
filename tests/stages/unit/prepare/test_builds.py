"""Whether another job uses the sources that this one would find again."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from executor.names import LABEL
from executor.stages.prepare.builds import builds_are_taken
from tests.builders import fetching, some_inputs
from tests.engine.stub import StubEngine, http, refusal

RUNNING = "/containers/json"


def running(*keys: str) -> bytes:
    """Return the engine's list of running containers of jobs with these keys."""
    return http(200, [{"Id": key, "Labels": {LABEL: key}} for key in keys])


def test_nobody_else_uses_them(stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> None:
    """The engine is asked for what runs with the very volume, and nothing is said."""
    inputs = fetching()
    stub.on("GET", RUNNING, running())

    assert not builds_are_taken(stub.engine(), inputs)

    (asked,) = stub.asked("GET", RUNNING)
    (filters,) = parse_qs(urlsplit(asked.path).query)["filters"]
    assert json.loads(filters) == {"volume": [inputs.volumes.builds.source], "status": ["running"]}
    assert capfd.readouterr() == ("", "")


def test_the_jobs_own_containers_do_not_count(stub: StubEngine) -> None:
    """A second attempt of prepare finds what the first one has made."""
    inputs = fetching()
    stub.on("GET", RUNNING, running(inputs.names.key))

    assert not builds_are_taken(stub.engine(), inputs)


def test_another_job_uses_them(stub: StubEngine, capfd: pytest.CaptureFixture[str]) -> None:
    """The author reads which job that is, and that the sources are cloned."""
    inputs = fetching()
    stub.on("GET", RUNNING, running(inputs.names.key, "4712-abc"))

    assert builds_are_taken(stub.engine(), inputs)
    out, _ = capfd.readouterr()
    assert out.startswith("WARNING: ")
    assert "ob 4712 " in out


def test_containers_of_nobodys_are_no_jobs(stub: StubEngine) -> None:
    """An administrator may look into a volume with a container of their own."""
    stub.on("GET", RUNNING, http(200, [{"Labels": None}, {"Labels": {"other": "x"}}, {}]))

    assert not builds_are_taken(stub.engine(), fetching())


@pytest.mark.parametrize("answer", [refusal(500, "no"), http(200, {})])
def test_an_engine_that_does_not_tell(stub: StubEngine, answer: bytes) -> None:
    """The job goes on with the sources, as it does without any other job."""
    stub.on("GET", RUNNING, answer)

    assert not builds_are_taken(stub.engine(), fetching())


def test_sources_that_go_with_the_job_are_nobody_elses(stub: StubEngine) -> None:
    """The engine is not even asked about a volume that is made for the job."""
    assert not builds_are_taken(stub.engine(), some_inputs(values={"GIT_STRATEGY": "clone"}))
    assert stub.received == []
