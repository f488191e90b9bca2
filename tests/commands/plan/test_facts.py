"""What is known of the engine: asked without a change, given in a file, or assumed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from executor.commands.plan.facts import DIND, EngineFacts, ask, assumed, guess, read_facts
from executor.commands.plan.planning import wanted_pulls
from executor.engine.docker import Engine
from executor.errors import JobPayloadError
from executor.spec import ImageFacts, Pull, Surroundings
from tests.builders import a_service, some_inputs
from tests.engine.stub import StubEngine, http


def test_facts_are_read_as_they_are_printed() -> None:
    """What `--json` prints is what `--facts` takes."""
    facts = EngineFacts(
        Surroundings(mtu=1400, subnets=("10.0.0.0/8",), bridges=(("10.0.0.0/24", "br-1"),),
                     authorities=(("r:5000", b"PEM\n"),), in_reach=True),
        {"docker:28": ImageFacts("sha256:1", ("sh",), environment=("A=", "DOCKER_VERSION=28"))},
        builds_are_taken=True,
        generation=2,
    )  # fmt: skip

    assert read_facts(json.loads(json.dumps({"facts": facts.as_json()}))) == facts
    assert read_facts({}) == EngineFacts()


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"surroundings": 1},
        {"surroundings": {"mtu": "1400"}},
        {"surroundings": {"unknown": 1}},
        {"surroundings": {"authorities": []}},
        {"images": {"x": []}},
        {"api": 1},
        {"unknown": 1},
    ],
)
def test_what_is_no_fact(document: object) -> None:
    """A wrong name or type is refused."""
    with pytest.raises(JobPayloadError):
        read_facts(document)


def test_an_unknown_image_is_guessed_by_its_name() -> None:
    """One that is called dind counts as Docker's own; each guess is stated."""
    known = EngineFacts(images={"a:1": ImageFacts("sha256:1")})
    pulls = [Pull("a:1"), Pull("registry.example.com/docker:28-dind"), Pull("b:1")]

    assert guess(pulls[1]) is DIND
    said = assumed(known, pulls)
    assert len(said) == 2
    assert "docker:28-dind" in said[0]
    assert "b:1" in said[1]
    assert "a:1" not in "".join(said)


def test_an_image_for_a_platform_goes_first() -> None:
    """One of the same name for another platform stands in for it."""
    facts = EngineFacts(
        images={"a:1": ImageFacts("sha256:1"), "a:1 linux/arm64": ImageFacts("sha256:2")}
    )

    found = [facts.image(Pull("a:1", each)) for each in ("", "linux/arm64", "linux/s390x")]
    assert [each.id for each in found if each] == ["sha256:1", "sha256:2", "sha256:1"]


def test_the_engine_is_only_read(stub: StubEngine, tmp_path: Path) -> None:
    """What is there is asked for, and every request is a GET."""
    stub.on("GET", "/networks", http(200, [{"Name": "bridge", "IPAM": {"Config": []}}]))
    stub.on("GET", "/info", http(200, {"ServerVersion": "29.0.0", "Name": "host"}))
    stub.on("GET", "/images/.*/json", http(200, {"Id": "sha256:1", "Config": {}}))
    stub.on("GET", "/containers/json.*", http(200, []))
    stub.on("GET", "/version", http(200, {"Version": "29", "ApiVersion": "1.47", "Arch": "arm64"}))
    inputs = some_inputs(
        services=[a_service("docker:dind")], settings=f'[sweep]\nstate_dir = "{tmp_path}"'
    )
    engine = Engine.at(stub.host, "", tls_verify=False)
    engine.connect()
    images, _ = wanted_pulls(inputs, engine.architecture)

    facts = ask(engine, inputs, stub.host, images)

    assert facts.architecture == "arm64"
    assert facts.image(images.build) == replace(ImageFacts("sha256:1"))
    assert {each.method for each in stub.received} == {"GET"}


def test_values_of_an_images_variables_are_not_shown() -> None:
    """The plan looks at their names, and at what Docker's own images say."""
    facts = EngineFacts(
        images={"a": ImageFacts("sha256:1", environment=("KEY=hunter2", "DOCKER_X=1"))}
    )

    assert "hunter2" not in json.dumps(facts.as_json())
    assert "DOCKER_X=1" in json.dumps(facts.as_json())
