"""What a job runs is what the registry has at that moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, Call, JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images, OwnRegistry
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

NO_DIND: Changes = {"dind": {"mode": "service"}}
"""For tests of the build image alone."""


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[OwnRegistry]:
    """Return a registry that a test may start, stop and break."""
    registry = OwnRegistry(tmp_path)
    yield registry
    registry.stop()


def prepare(job: JobCalls) -> Call:
    """Call config and prepare."""
    job.config().passed()
    return job.prepare()


def test_a_tag_that_moved_is_what_the_next_job_runs(
    rig: Rig, start: Start, witness: Witness, images: Images
) -> None:
    """Build image, service and dind are pulled though the engine has older ones of these names.

    Two of them are not to be pulled, as the job has it; they are, and the job is told so.
    """
    names = {kind: rig.special(f"tests/moving:{kind}") for kind in ("build", "service")}
    dind = rig.special("tests/docker:moving-dind")
    for name in names.values():
        images.publish(images.variant("alpine", "new"), name)
        images.tag(images.variant("alpine", "old"), name)
    images.publish(images.known("docker:26.1-dind"), dind)
    images.tag(images.known("docker:20.10.16-dind"), dind)
    request = JobRequest(
        image=names["build"],
        image_options={"pull_policy": ["if-not-present"]},
        services=[
            {"name": names["service"], "command": ["sleep", "600"], "pull_policy": ["never"]},
            {"name": dind},
        ],
    )
    job = start(request)
    said = job.up().output
    assert job.script('echo "$GENERATION"').passed().output.endswith("new\n")
    assert "GENERATION=new" in witness.container(job.id, "service").attrs["Config"]["Env"]
    variables = witness.container(job.id, "dind").attrs["Config"]["Env"]
    assert any(each.startswith("DOCKER_VERSION=26.1.") for each in variables)
    for name, policy in ((names["build"], "if-not-present"), (names["service"], "never")):
        assert f'The pull_policy [{policy}] of image "{name}" is not used' in said
        assert f"Using effective pull policy of [always] for container {name}\n" in said
        assert f"Pulling docker image {name} ...\n" in said
        assert f" for {name} with digest {name.rpartition(':')[0]}@sha256:" in said


def test_an_image_that_the_registry_has_not_is_not_found(
    rig: Rig, start: Start, images: Images
) -> None:
    """The engine's own copy does not hide that; it is the author's mistake, told at once."""
    name = rig.special("tests/never-pushed:1")
    images.tag(images.known("alpine"), name)
    call = prepare(start(JobRequest(image=name), NO_DIND))
    assert call.code == BUILD_FAILURE
    assert f'ERROR: failed to pull image "{name}" with specified policies [always]:' in call.stderr
    assert "Check the image's name and tag" in call.stderr
    assert "retrying" not in call.output


def test_an_error_in_the_stream_is_an_error(
    start: Start, images: Images, own_registry: OwnRegistry
) -> None:
    """A registry that breaks after the pull has begun fails it, whatever the engine has."""
    own_registry.start()
    name = f"{own_registry.host}/tests/torn:1"
    image = images.fresh()
    images.publish(image, name)
    images.forget(str(image.id))
    own_registry.lose_biggest_layer()
    images.tag(images.variant("alpine", "stale"), name)
    call = prepare(start(JobRequest(image=name), NO_DIND))
    assert call.code == SYSTEM_FAILURE
    assert f'ERROR: failed to pull image "{name}" with specified policies [always]:' in call.stderr
    assert "unknown blob" in call.stderr


def test_a_registry_that_comes_back_is_tried_again(
    start: Start, images: Images, own_registry: OwnRegistry
) -> None:
    """A transient failure is said, and a later attempt succeeds."""
    own_registry.start()
    name = f"{own_registry.host}/tests/late:1"
    images.publish(images.known("alpine"), name)
    own_registry.stop()
    job = start(JobRequest(image=name), NO_DIND)
    job.config().passed()
    running = job.start("prepare")
    running.wait_for(f'WARNING: Failed to pull image "{name}" (attempt #1), retrying:')
    own_registry.start()
    running.finish().passed()


def test_a_registry_that_is_down_is_the_operators_matter(
    start: Start, images: Images, own_registry: OwnRegistry
) -> None:
    """After bounded attempts a system failure, though the engine has an image of that name."""
    name = f"{own_registry.host}/tests/down:1"
    images.tag(images.known("alpine"), name)
    call = prepare(start(JobRequest(image=name), NO_DIND))
    assert call.code == SYSTEM_FAILURE
    assert call.output.count("retrying") == 2
    assert "connection refused" in call.stderr
    assert "The registry could not be reached" in call.stderr


def test_a_digest_is_pulled_as_such(rig: Rig, start: Start, witness: Witness) -> None:
    """An image named by digest runs, and the log shows the digest."""
    digest = witness.client.images.get_registry_data(rig.special("tools/web:1")).id
    name = f"{rig.hub}/tools/web@{digest}"
    job = start(JobRequest(image=name), NO_DIND)
    said = job.up().output
    assert f"Pulling docker image {name} ...\n" in said
    assert f" for {name} with digest {name} ...\n" in said
