"""What lasts on an engine: listed, measured, and removed."""

import pytest
from pytest_mock import MockerFixture

from executor.errors import EngineRefused, ResourceExhausted
from tests.engine.stub import StubEngine, http, refusal

BUSY = refusal(500, "a disk usage operation is already running")


def test_everything_is_listed(stub: StubEngine) -> None:
    """Without any filter: what is not a job's counts too."""
    stub.on("GET", "/volumes", http(200, {"Volumes": [{"Name": "v"}]}))
    stub.on("GET", "/images/json", http(200, [{"Id": "i"}]))

    verbs = stub.engine().kept

    assert (verbs.volumes(), verbs.images()) == ([{"Name": "v"}], [{"Id": "i"}])


def test_what_containers_have(stub: StubEngine) -> None:
    """Their volumes and images, and of those that do not run as well."""
    listed = [
        {"Id": "a", "ImageID": "i", "Mounts": [{"Type": "volume", "Name": "v"}, {"Type": "bind"}]},
        {"Id": "b", "ImageID": "j", "Mounts": None},
    ]
    stub.on("GET", "/containers/json", http(200, listed))

    users = stub.engine().kept.users()

    assert users == (frozenset({"v"}), frozenset({"i", "j"}))
    (asked,) = stub.asked("GET", "/containers/json")
    assert "all=1" in asked.path


def test_an_engine_that_measures_already_is_waited_for(
    stub: StubEngine, mocker: MockerFixture
) -> None:
    """It does this once at a time, and refuses a second request."""
    pause = mocker.patch("time.sleep")
    stub.on("GET", "/system/df", BUSY, BUSY, http(200, {"Images": []}))

    assert stub.engine().kept.usage() == {"Images": []}
    assert pause.call_count == 2


def test_an_engine_that_measures_without_end(stub: StubEngine, mocker: MockerFixture) -> None:
    """It is given up in the end."""
    mocker.patch("time.sleep")
    stub.on("GET", "/system/df", BUSY)

    with pytest.raises(EngineRefused, match="already running"):
        stub.engine().kept.usage()


def test_an_engine_that_cannot_measure(stub: StubEngine) -> None:
    """Another refusal is not waited for."""
    stub.on("GET", "/system/df", refusal(500, "no such driver"))

    with pytest.raises(EngineRefused, match="no such driver"):
        stub.engine().kept.usage()
    assert len(stub.asked("GET", "/system/df")) == 1


def test_what_is_removed(stub: StubEngine) -> None:
    """Gone is done, whoever did it; never by force."""
    stub.on("DELETE", "/volumes/v", http(204))
    stub.on("DELETE", "/volumes/gone", http(404))
    stub.on("DELETE", "/images/", http(200, []))
    verbs = stub.engine().kept

    assert verbs.remove_volume("v") == verbs.remove_volume("gone") == ""
    assert verbs.remove_image("registry.local/a/b:1") == ""

    paths = [each.path for each in stub.asked("DELETE", "/")]
    assert paths[-1].endswith("/images/registry.local%2Fa%2Fb%3A1")
    assert not any("force" in each for each in paths)


def test_what_the_engine_does_not_remove(stub: StubEngine) -> None:
    """Its reason is told."""
    stub.on("DELETE", "/volumes/v", refusal(409, "volume is in use"))

    assert stub.engine().kept.remove_volume("v") == "volume is in use"


def test_a_claim_says_who_has_it(stub: StubEngine) -> None:
    """The labels are those of whoever made the volume."""
    stub.on("POST", "/volumes/create", http(201, {"Name": "c", "Labels": {"whose": "other's"}}))

    assert stub.engine().kept.claim("c", {"whose": "mine"}) == {"whose": "other's"}

    (asked,) = stub.asked("POST", "/volumes/create")
    assert asked.json() == {"Name": "c", "Labels": {"whose": "mine"}}


def test_a_claim_on_a_full_disk(stub: StubEngine) -> None:
    """It fails as every other volume does."""
    stub.on("POST", "/volumes/create", refusal(500, "mkdir: no space left on device"))

    with pytest.raises(ResourceExhausted):
        stub.engine().kept.claim("c", {})


def test_the_labels_of_a_volume(stub: StubEngine) -> None:
    """Of one that is not there, there are none."""
    stub.on("GET", "/volumes/a", http(200, {"Name": "a", "Labels": {"x": "y"}}))
    stub.on("GET", "/volumes/b", refusal(404, "no such volume"))
    stub.on("GET", "/volumes/c", http(200, {"Name": "c", "Labels": None}))
    verbs = stub.engine().kept

    assert [verbs.labels_of(each) for each in ("a", "b", "c")] == [{"x": "y"}, {}, {}]


CACHE = "/v1.44/system/df"


def test_the_records_of_the_build_cache(stub: StubEngine) -> None:
    """Nothing else is measured for them, and the engine's version need not be known."""
    stub.on("GET", CACHE, http(200, {"BuildCache": [{"ID": "a"}, 5], "Images": None}))

    assert stub.engine().kept.build_cache(5) == [{"ID": "a"}, {}]
    (asked,) = stub.asked("GET", CACHE)
    assert asked.path == "/v1.44/system/df?type=build-cache"


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "client version 1.44 is too new"),
        http(200, {"BuildCache": None}),
        http(200, []),
        http(200, {"BuildCache": [{"ID": "x" * 1024 * 1024}]}),
    ],
)
def test_an_engine_without_records(stub: StubEngine, answer: bytes) -> None:
    """It is too old for the question, has no such builder, says too much, or is not Docker at all."""
    stub.on("GET", CACHE, answer)

    assert stub.engine().kept.build_cache(5) == []
