"""The end of a job that fills the disk: what is ended, removed and said."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.disk.ending import kill, overrun, remove
from executor.disk.limits import BYTES, INODES, Overrun
from executor.engine.docker import Engine
from executor.log import AdministratorLog
from executor.names import JobNames
from tests.engine.stub import StubEngine, http, refusal, stub_engine

NAMES = JobNames("12-abcdef")


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine with one service of the job."""
    with stub_engine(tmp_path) as made:
        made.on("GET", "/json", http(200, []))
        made.on("GET", r"/(networks|volumes)\?", http(200, []))
        made.on("GET", "/containers/.*/json", http(404, {"message": "No such container"}))
        made.on("GET", "/containers/.*-service-0/json", http(200, {"Name": f"/{NAMES.service(0)}"}))
        made.on("POST", "/containers/.*/kill", http(204))
        made.on("DELETE", "/", http(204))
        yield made


def engine(stub: StubEngine) -> Engine:
    """Return the engine."""
    return Engine.at(stub.host, "", tls_verify=False)


def requests(stub: StubEngine, method: str) -> list[str]:
    """Return the paths of what was asked for by a method."""
    return sorted(each.path for each in stub.received if each.method == method)


def test_all_containers_are_killed(stub: StubEngine) -> None:
    """The known ones at once, and then the services."""
    kill(engine(stub), NAMES, {})

    assert requests(stub, "POST") == sorted(
        f"/containers/{each}/kill"
        for each in (NAMES.build, NAMES.dind, NAMES.helper, NAMES.service(0))
    )


def test_a_process_that_is_not_the_containers(stub: StubEngine) -> None:
    """A number that is another process's by now is left alone, and one that is gone is gone."""
    with subprocess.Popen(["sleep", "60"]) as process:
        kill(engine(stub), NAMES, {"f" * 64: process.pid, "e" * 64: 4_000_000})

        assert process.poll() is None
        process.kill()


def test_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    """Nothing can be done then, and nothing fails."""
    kill(Engine.at(f"unix://{tmp_path}/none", "", tls_verify=False), NAMES, {})


def test_all_of_the_job_goes(stub: StubEngine, tmp_path: Path) -> None:
    """With it go the caches that it has filled, and these only."""
    cache = tmp_path / "caches/slot/abc"
    cache.mkdir(parents=True)
    (cache / "big").write_text("x")
    found = Overrun(1, BYTES, 1, "/data", ("cache",), (str(cache),))

    gone = remove(engine(stub), NAMES, found, AdministratorLog("run"))

    assert gone == ("cache", str(cache))
    assert "/volumes/cache?force=1" in requests(stub, "DELETE")
    assert not cache.exists()
    assert cache.parent.exists()


def test_a_cache_that_another_job_uses(
    stub: StubEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays, and nobody says that it went."""
    monkeypatch.setattr("executor.disk.ending._PATIENCE_SECONDS", 0.0)
    stub.on("DELETE", "/volumes/cache", refusal(409, "volume is in use"))
    found = Overrun(1, BYTES, 1, "/data", ("cache",), (str(tmp_path),))

    assert remove(engine(stub), NAMES, found, AdministratorLog("run")) is None
    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("found", "gone", "words"),
    [
        (
            Overrun(3 << 30, BYTES, 1 << 30, "/data"),
            (),
            "it had written 3 GiB, more than any other",
        ),
        (
            Overrun(50_000, INODES, 9, "/data"),
            (),
            "and 9 inodes were left in /data. What it wrote is",
        ),
        (
            Overrun(1, BYTES, 1, "/d"),
            ("a", "b"),
            "What it wrote is removed, and so are the caches that it filled: a, b. Make the",
        ),
        (Overrun(1, BYTES, 1, "/d"), None, "What it wrote could not all be removed yet. Make"),
    ],
)
def test_the_sentence(found: Overrun, gone: tuple[str, ...] | None, words: str) -> None:
    """It says what the job did, what was left, what went and what to do."""
    assert words in str(overrun(found, gone))
