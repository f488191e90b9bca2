"""The sweep beside prepare's own work: what it asks for, and that nobody waits for it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.sweep.state import states
from tests.engine.stub import Connection, Received, http, stub_engine
from tests.stages.unit.prepare.test_prepare import Job
from tests.sweep.belongings import Belongings
from tests.sweep.left import belonging, dead_owner, objects_of

LISTS = [r"/containers/json\?all=1", r"/networks\?filters", r"/volumes\?filters"]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Return a job on an engine that does what it is asked, and a place for the sweep's memory."""
    with stub_engine(tmp_path) as stub:
        made = Job(stub, tmp_path)
        (tmp_path / "state").mkdir()
        made.settings = f'[sweep]\nstate_dir = "{tmp_path}/state"'
        yield made


def held_back(job: Job) -> threading.Event:
    """Let no container of the job start before the sweep is over; return what says that it is."""
    over = threading.Event()

    def start(connection: Connection, _received: Received) -> None:
        assert over.wait(60)
        connection.send(http(204))

    job.stub.on("POST", "/containers/.*/start", start)
    return over


def until_removed(job: Job, over: threading.Event, last: str) -> Belongings:
    """Have the objects of a dead job at the engine; the job goes on when the last one is removed."""
    there = Belongings(job.stub)
    there.have(objects_of(belonging(dead_owner())))

    def remove(connection: Connection, received: Received) -> None:
        there._remove(connection, received)
        if last in received.path:
            over.set()

    job.stub.on("DELETE", "/", remove)
    return there


def test_the_dead_are_swept_beside_a_job(job: Job) -> None:
    """What a dead gitlab-runner's job left is removed while the next job's containers start."""
    over = held_back(job)
    there = until_removed(job, over, "/volumes/")

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert there.names() == []
    assert "17-0123456789" not in output


def test_nothing_to_sweep_is_three_lists(job: Job) -> None:
    """prepare asks for what has a job's label, once a kind, and for nothing else besides."""
    there = Belongings(job.stub)
    listed = threading.Event()
    volumes = job.stub.choose(Received("GET", "/volumes?filters", {}, b""))
    assert callable(volumes)

    def last(connection: Connection, received: Received) -> None:
        volumes(connection, received)
        listed.set()

    job.stub.on("GET", LISTS[2], last)

    def start(connection: Connection, _received: Received) -> None:
        assert listed.wait(60)
        connection.send(http(204))

    job.stub.on("POST", "/containers/.*/start", start)

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert [len(job.stub.asked("GET", path)) for path in LISTS] == [1, 1, 1]
    assert there.deleted() == []


def test_the_sweep_is_switched_off(job: Job) -> None:
    """An administrator who sweeps otherwise has no list asked for."""
    job.settings = "[sweep]\nenabled = false"

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert [len(job.stub.asked("GET", path)) for path in LISTS] == [0, 0, 0]


def test_nobody_waits_for_a_sweep(job: Job) -> None:
    """An engine that does not list holds up no job, and the job's log says nothing of it."""
    asked, ended = threading.Event(), threading.Event()

    def never(connection: Connection, _received: Received) -> None:
        asked.set()
        ended.wait(60)
        connection.close()

    job.stub.on("GET", LISTS[0], never)

    def start(connection: Connection, _received: Received) -> None:
        assert asked.wait(60)
        connection.send(http(204))

    job.stub.on("POST", "/containers/.*/start", start)
    try:
        code, output = job.finish(job.prepare())
    finally:
        ended.set()

    assert code == 0, output
    assert "sweep" not in output.lower()


def test_a_sweep_that_fails_fails_no_job(job: Job) -> None:
    """A refusal of the engine, and a directory that is none, leave the job alone; the log says why."""
    refused = threading.Event()

    def refuse(connection: Connection, _received: Received) -> None:
        connection.send(http(500, {"message": "no lists today"}))
        refused.set()

    job.stub.on("GET", LISTS[0], refuse)
    job.settings = f'[sweep]\nstate_dir = "{job.directory}/settings.toml"'

    def start(connection: Connection, _received: Received) -> None:
        assert refused.wait(60)
        connection.send(http(204))

    job.stub.on("POST", "/containers/.*/start", start)

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert "no lists today" not in output


def test_the_state_says_who_swept(job: Job) -> None:
    """A sweep leaves its result where the settings say, for the engine of the job."""
    over = held_back(job)
    until_removed(job, over, "/containers/")

    code, output = job.finish(job.prepare())

    assert code == 0, output
    (state,) = states(f"{job.directory}/state")
    assert (state["engine"], state["by"]) == (job.stub.host, "prepare")
    assert json.loads(json.dumps(state["jobs"])) == {"remove": 1, "keep": 0, "undecided": 0}
