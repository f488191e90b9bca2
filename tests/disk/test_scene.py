"""Where a job writes, by what the engine says of its containers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.disk.growth import Tree
from executor.disk.scene import containers, scene
from executor.engine.docker import Engine
from executor.names import JobNames
from tests.engine.stub import StubEngine, http, stub_engine

NAMES = JobNames("12-abcdef")
UNNAMED = "f" * 64


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine without containers."""
    with stub_engine(tmp_path) as made:
        made.on("GET", "/containers/.*/json", http(404, {"message": "No such container"}))
        yield made


def engine(stub: StubEngine) -> Engine:
    """Return the engine."""
    return Engine.at(stub.host, "", tls_verify=False)


def volume(name: str, source: str) -> dict[str, object]:
    """Return a mount as the engine tells it."""
    return {"Type": "volume", "Name": name, "Source": source, "RW": True}


def test_what_a_container_fills(stub: StubEngine) -> None:
    """The job's volumes, those without a name, those that last, its log and its own files."""
    told = {
        "Id": "c1",
        "Mounts": [
            volume(f"{NAMES.network}-docker", "/data/volumes/own/_data"),
            volume(UNNAMED, "/data/volumes/unnamed/_data"),
            volume("cache", "/data/volumes/cache/_data"),
            volume("administrators", "/data/volumes/administrators/_data"),
            volume(f"{NAMES.network}-x", "elsewhere"),
            {"Type": "bind", "Source": "/srv"},
            "x",
        ],
        "LogPath": "/data/containers/c1/c1-json.log",
        "GraphDriver": {"Data": {"UpperDir": "/data/overlay2/u/diff"}},
        "State": {"Pid": 41},
    }
    stub.on("GET", "/containers/.*-dind/json", http(200, told))
    stub.on("GET", "/containers/.*-service-0/json", http(200, told))

    found = scene(engine(stub), NAMES, "/r", ("cache",), ("/caches/mine",))

    assert found.trees == (
        Tree("/r/caches/mine", "/caches/mine"),
        Tree("/r/data/volumes/own/_data"),
        Tree("/r/data/volumes/unnamed/_data"),
        Tree("/r/data/volumes/cache/_data", "cache"),
        Tree("/r/data/containers/c1"),
        Tree("/r/data/overlay2/u/diff"),
    )
    assert found.pids == {}


def test_the_first_processes(stub: StubEngine) -> None:
    """They are known where the engine numbers processes as this host does."""
    for kind, pid in (("build", 41), ("helper", 0)):
        stub.on(
            "GET",
            f"/containers/.*-{kind}/json",
            http(200, {"Id": kind, "State": {"Pid": pid}}),
        )

    assert scene(engine(stub), NAMES, "", (), ()).pids == {"build": 41}


def test_files_that_the_engine_does_not_tell_of(stub: StubEngine, tmp_path: Path) -> None:
    """With images in containerd, the mounts of the container's first process say where they are."""
    mounts = tmp_path / "proc/41/mountinfo"
    mounts.parent.mkdir(parents=True)
    mounts.write_text(
        "1 2 0:30 / /etc/hosts rw - overlay overlay rw,upperdir=/wrong\n"
        "3 4 0:31 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/c/snapshots/7/fs,workdir=/w\n"
    )
    told = {"GraphDriver": None, "State": {"Pid": 41}}
    stub.on("GET", "/containers/.*-build/json", http(200, told))

    found = scene(engine(stub), NAMES, str(tmp_path), (), ())

    assert found.trees == (Tree(f"{tmp_path}/c/snapshots/7/fs"),)


@pytest.mark.parametrize("pid", [None, "x", 1, 4_000_000])
def test_a_process_that_is_none(stub: StubEngine, pid: object) -> None:
    """Nothing is known of what cannot be read."""
    stub.on("GET", "/containers/.*-build/json", http(200, {"State": {"Pid": pid}}))

    assert scene(engine(stub), NAMES, "/nowhere", (), ()).trees == ()


def test_all_containers(stub: StubEngine) -> None:
    """The sidecar, the build and the helper container, and services until there is no other one."""
    for kind in ("dind", "build", "helper", "service-0", "service-1", "service-3"):
        stub.on("GET", f"/containers/.*-{kind}/json", http(200, {"Id": kind}))

    found = [each["Id"] for each in containers(engine(stub), NAMES)]

    assert found == ["dind", "build", "helper", "service-0", "service-1"]
