"""What is there now, of an engine that answers, refuses, or hangs."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.commands.metrics import host as module
from executor.commands.metrics.host import Host, keys_of
from executor.runner.environ import RunnerEnv
from executor.settings.file import read_settings
from tests.engine.stub import Connection, Received, StubEngine, http, stub_engine


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    with stub_engine(tmp_path) as engine:
        yield engine


def a_host(stub: StubEngine, directory: Path) -> Host:
    text = f'[docker]\nhost = "{stub.host}"\n[sweep]\nstate_dir = "{directory}"\n'
    return Host(read_settings(text, "x"), RunnerEnv({}))


def test_an_engine_that_answers(stub: StubEngine, tmp_path: Path) -> None:
    """Its version, its networks, and the containers of jobs are seen."""
    version = {"Version": "28.5.2", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Arch": "amd64"}
    network = {"Name": "x", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.29.0.0/16"}]}}
    containers = [
        {"Id": "1", "Labels": {"dind-executor.job": "1-a"}},
        {"Id": "2", "Labels": {"dind-executor.job": "1-a"}},
        {"Id": "3", "Labels": None},
    ]
    stub.on("GET", "/version", http(200, version))
    stub.on("GET", "/networks", http(200, [network]))
    stub.on("GET", "/containers/json", http(200, containers))
    stub.on("GET", "/info", http(200, {"Name": "elsewhere"}))

    seen = a_host(stub, tmp_path).look()

    assert seen.engine is not None
    assert seen.engine.version == "28.5.2"
    assert seen.engine.networks_used == 2048
    assert keys_of(seen.engine.containers) == {"1-a"}
    assert seen.disks == []
    assert seen.left is not None


def test_an_engine_that_is_away(tmp_path: Path) -> None:
    """What lies on this host is seen nevertheless."""
    text = f'[docker]\nhost = "unix://{tmp_path}/none.sock"\n[sweep]\nstate_dir = "{tmp_path}"\n'

    seen = Host(read_settings(text, "x"), RunnerEnv({})).look()

    assert seen.engine is None
    assert seen.left is not None


def test_an_engine_that_hangs(
    stub: StubEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it, and what lies on this host is seen."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    gate = threading.Event()

    def hang(_connection: Connection, _received: Received) -> None:
        gate.wait()

    stub.on("GET", "/", hang)
    host = a_host(stub, tmp_path)
    host.look()

    seen = host.look()

    assert seen.engine is None
    assert seen.left is not None
    gate.set()
