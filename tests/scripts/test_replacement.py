"""What it takes to make a container again: where it is kept, and when none is made."""

import json
import stat
from pathlib import Path

import pytest

from executor.runner.making import begin_making, end_making, may_appear
from executor.scripts.replacement import keep, replace
from executor.shell.greetings import FILES, VARIABLES
from executor.shell.serving import READY
from executor.spec import ContainerSpec, FileSpec
from tests.engine.greeting import take
from tests.engine.stub import UPGRADED, Connection, Received, StubEngine, frame, http, refusal

SPEC = ContainerSpec(
    name="job-build",
    image="alpine:latest",
    labels={"dind-executor.type": "build"},
    network="job",
    files=(FileSpec("/run/key.pem", b"\xff secret"),),
    secret_environment={"TOKEN": "hunter2"},
    runs_scripts=True,
)
REQUEST = {"Image": "sha256:ab", "Cmd": ["sh"]}
VERSION = http(200, {"Version": "26.1", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})


def test_what_is_kept_is_private(tmp_path: Path) -> None:
    """It repeats the secrets of the payload that it lies beside."""
    keep(str(tmp_path), SPEC, REQUEST)

    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "hunter2" in path.read_text()


def test_the_engine_is_asked_for_the_same_again(stub: StubEngine, tmp_path: Path) -> None:
    """The request names the image's id: what was pulled first runs on."""
    keep(str(tmp_path), SPEC, REQUEST)
    stub.on("GET", "/version", VERSION)
    stub.on("DELETE", "/containers/job-build", http(204), refusal(404, "no such container"))
    stub.on("POST", "/containers/create", refusal(500, "enough for this test"))

    with pytest.raises(Exception, match="enough for this test"):
        replace(stub.engine(), str(tmp_path), "job-build")

    (asked,) = stub.asked("POST", "/containers/create")
    assert asked.json() == REQUEST
    assert "name=job-build" in asked.path
    assert not may_appear(str(tmp_path))


@pytest.mark.parametrize("version", ["this one", "the one before"])
def test_a_keeper_of_each_version_gets_its_files(
    stub: StubEngine, tmp_path: Path, version: str
) -> None:
    """One that the version before prepared does not ask for them: it is sent them at once."""
    keep(str(tmp_path), SPEC, REQUEST)
    if version == "the one before":
        (path,) = tmp_path.glob("*.container.json")
        noted = json.loads(path.read_text())
        del noted["command"]
        path.write_text(json.dumps(noted))
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        if version == "this one":
            got.extend(take(connection, each) for each in (VARIABLES, FILES))
        else:
            got.append(b"".join(connection.file.readline() for _ in range(10)))
        connection.send(frame(1, f"{READY}\n".encode()))

    stub.on("GET", "/version", VERSION)
    stub.on("POST", "/containers/job-build/stop", http(204))
    stub.on("POST", "/containers/job-build/attach", attach)
    stub.on("POST", "/containers/job-build/start", http(204))

    assert replace(stub.engine(), str(tmp_path), "job-build", in_place=True)
    assert b"export TOKEN='hunter2'\n" in b"".join(got)
    assert b"/run/key.pem\n\xff secret\n" in b"".join(got)


def test_a_container_that_is_there_may_be_started_again(stub: StubEngine, tmp_path: Path) -> None:
    """What runs in it ends first, and nothing is removed or made."""
    keep(str(tmp_path), SPEC, REQUEST)
    stub.on("GET", "/version", VERSION)
    stub.on("POST", "/containers/job-build/stop", http(204))
    stub.on("POST", "/containers/job-build/attach", refusal(500, "enough for this test"))

    with pytest.raises(Exception, match="enough for this test"):
        replace(stub.engine(), str(tmp_path), "job-build", in_place=True)

    assert stub.asked("DELETE", "/") == []
    assert stub.asked("POST", "/containers/create") == []


def test_nothing_appears_once_cleanup_has_begun(stub: StubEngine, tmp_path: Path) -> None:
    """Cleanup may come while a `run` call is still there, and has looked already."""
    keep(str(tmp_path), SPEC, REQUEST)
    stub.on("GET", "/version", VERSION)
    end_making(str(tmp_path))

    assert replace(stub.engine(), str(tmp_path), "job-build") is False
    assert stub.asked("POST", "/") == []

    begin_making(str(tmp_path))
    with pytest.raises(Exception, match="the stub has no answer"):
        replace(stub.engine(), str(tmp_path), "job-build")


def test_without_a_prepare_there_is_nothing_to_make(stub: StubEngine, tmp_path: Path) -> None:
    """A `run` call that stands alone asks the engine for nothing."""
    assert replace(stub.engine(), str(tmp_path), "job-build") is False
    assert stub.received == []
