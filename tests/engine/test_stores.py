"""Where an engine keeps what it stores, by what it says of itself."""

import os
from pathlib import Path

import pytest

from executor.engine.docker import Engine
from executor.engine.stores import Stores
from tests.engine.stub import http, refusal, stub_engine

SNAPSHOTS = [["driver-type", "io.containerd.snapshotter.v1"]]


def said(directory: Path, answer: bytes) -> Stores:
    """Return what an engine with this answer keeps where."""
    with stub_engine(directory) as stub:
        stub.on("GET", "/info", answer)
        return Engine.at(stub.host, "", tls_verify=False).kept.stores()


def test_a_store_of_dockerds_own(tmp_path: Path) -> None:
    """The data root, the driver and the host's name come from the engine, the process from the kernel."""
    told = {"DockerRootDir": "/data/", "Driver": "overlay2", "Name": "host", "DriverStatus": None}

    found = said(tmp_path, http(200, told))

    assert found == Stores("/data", "overlay2", engine_name="host", peer=os.getpid())


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("/run/containerd/containerd.sock", True),
        ("", True),
        ("/var/run/docker/containerd/containerd.sock", False),
    ],
)
def test_images_in_containerd(tmp_path: Path, address: str, elsewhere: object) -> None:
    """They lie outside of the data root, unless dockerd has started containerd itself."""
    told = {
        "DockerRootDir": "/data",
        "DriverStatus": SNAPSHOTS,
        "Containerd": {"Address": address},
    }

    assert said(tmp_path, http(200, told)).in_containerd == elsewhere


@pytest.mark.parametrize(
    "answer", [refusal(500, "no"), http(200, []), http(200, {"DriverStatus": [1, [], "x"]})]
)
def test_an_engine_that_says_nothing_of_use(tmp_path: Path, answer: bytes) -> None:
    """Nothing is known then, and nothing fails."""
    assert said(tmp_path, answer).data_root == ""
