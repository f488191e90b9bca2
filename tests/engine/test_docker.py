"""What several verbs of the engine promise together."""

from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.spec import ImageFacts, NetworkSpec, VolumeSpec
from tests.engine.samples import NEW, SPEC
from tests.engine.stub import StubEngine, http


@pytest.mark.parametrize(
    ("volume", "options"),
    [
        (VolumeSpec("cache", {"a": "b"}), {"Labels": {"a": "b"}}),
        (
            VolumeSpec("cache", {}, "nfs", {"share": "ci"}),
            {"Labels": {}, "DriverConfig": {"Name": "nfs", "Options": {"share": "ci"}}},
        ),
    ],
)
def test_a_volume_that_is_gone_again_is_made_the_same(
    stub: StubEngine, volume: VolumeSpec, options: dict[str, object]
) -> None:
    """A prune comes between; the engine makes what a container mounts, and by these words."""
    stub.on("POST", "/(volumes|containers)/create", http(201, {"Id": "new"}))
    engine = Engine(stub.api())
    engine.ensure_volume(volume)
    engine.create(replace(SPEC, mounts=(("cache", "/cache"),)), ImageFacts(NEW))

    host = stub.asked("POST", "/containers/create")[0].json()["HostConfig"]
    assert isinstance(host, dict)
    assert host["Mounts"] == [
        {"Type": "volume", "Source": "cache", "Target": "/cache", "VolumeOptions": options}
    ]


def test_containers_join_a_network_by_its_id(stub: StubEngine) -> None:
    """Its name may be several networks' (Docker 20.10); one that nobody made here is joined by name."""
    stub.on("POST", "/(networks|containers)/create", http(201, {"Id": "new"}))
    engine = Engine(stub.api())
    engine.create(SPEC, ImageFacts(NEW))
    assert engine.ensure_network(NetworkSpec(SPEC.network, {}, subnet="10.8.0.0/27")).id == "new"
    engine.create(SPEC, ImageFacts(NEW))

    asked = [each.json() for each in stub.asked("POST", "/containers/create")]
    modes = [as_table(each["HostConfig"])["NetworkMode"] for each in asked]
    joined = [
        list(as_table(as_table(each["NetworkingConfig"])["EndpointsConfig"])) for each in asked
    ]
    assert modes == [SPEC.network, "new"]
    assert joined == [[SPEC.network], ["new"]]


def test_what_waits_for_volumes_has_more_time(stub: StubEngine, mocker: MockerFixture) -> None:
    """While the engine deletes a large one, whatever has to do with volumes stands still."""
    send = mocker.spy(Api, "send")
    stub.on("POST", "/", http(201))
    engine = Engine(stub.api())
    engine.ensure_volume(VolumeSpec("cache", {}))
    engine.create(SPEC, ImageFacts(NEW))
    engine.start(replace(SPEC, runs_scripts=False))

    assert [each.kwargs["timeout"] for each in send.call_args_list] == [VOLUME_SECONDS] * 3
