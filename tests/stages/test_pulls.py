"""What a job runs is what the registry has at that moment."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, Call, JobCalls, assert_error
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
    """Build image, service and dind are pulled though the engine has older ones of these names."""
    names = {kind: rig.special(f"tests/moving:{kind}") for kind in ("build", "service")}
    dind = rig.special("tests/docker:moving-dind")
    for name in names.values():
        images.publish(images.variant("alpine", "new"), name)
        images.tag(images.variant("alpine", "old"), name)
    images.publish(images.known("docker:26.1-dind"), dind)
    images.tag(images.known("docker:20.10.16-dind"), dind)
    request = JobRequest(
        image=names["build"],
        image_options={"pull_policy": ["always"]},
        services=[{"name": names["service"], "command": ["sleep", "600"]}, {"name": dind}],
    )
    job = start(request)
    said = job.up().output
    assert job.script('echo "$GENERATION"').passed().output.endswith("new\n")
    assert "GENERATION=new" in witness.container(job.id, "service").attrs["Config"]["Env"]
    variables = witness.container(job.id, "dind").attrs["Config"]["Env"]
    assert any(each.startswith("DOCKER_VERSION=26.1.") for each in variables)
    for name in names.values():
        assert f"Using effective pull policy of [always] for container {name}\n" in said
        assert f"Pulling docker image {name} ...\n" in said
        assert f" for {name} with digest {name.rpartition(':')[0]}@sha256:" in said


def test_each_image_by_the_policy_that_the_job_asks_for(
    rig: Rig, start: Start, witness: Witness, images: Images
) -> None:
    """The images of one job each follow a policy of their own, and an id follows none."""
    names = {kind: rig.special(f"tests/policy:{kind}") for kind in ("build", "never", "fallback")}
    images.publish(images.variant("alpine", "new"), names["build"])
    for name in names.values():
        images.tag(images.variant("alpine", "old"), name)
    bare = str(images.variant("alpine", "by-id").id)
    stay = {"command": ["sleep", "600"]}
    request = JobRequest(
        image=names["build"],
        image_options={"pull_policy": ["if-not-present"]},
        services=[
            {"name": names["never"], "pull_policy": ["never"], **stay},
            {"name": names["fallback"], "pull_policy": ["always", "if-not-present"], **stay},
            {"name": bare, "pull_policy": ["never"], **stay},
        ],
    )
    allowed = {"allowed_pull_policies": ["always", "if-not-present", "never"]}
    job = start(request, {**NO_DIND, "docker": allowed})
    said = job.up().output
    assert job.script('echo "$GENERATION"').passed().output.endswith("old\n")
    assert f'"if-not-present" pull policy for "{names["build"]}"\n' in said
    for untouched in (names["build"], names["never"], bare):
        assert f"Pulling docker image {untouched}" not in said
    fallback = names["fallback"]
    for line in (
        f"Using effective pull policy of [always if-not-present] for container {fallback}\n",
        f"Pulling docker image {fallback} ...\n",
        f'WARNING: Failed to pull image with policy "always": {fallback}: ',
        f'Attempt #2: Trying "if-not-present" pull policy for "{fallback}"\n',
        f'due to "if-not-present" pull policy for "{fallback}"\n',
        f"Using effective pull policy of [never] for container {names['never']}\n",
        f" for {names['never']} ",
    ):
        assert line in said
    assert f"for {bare} " not in said
    services = witness.containers(job.id, "service")
    generations = {
        variable
        for each in services
        for variable in each.attrs["Config"]["Env"]
        if variable.startswith("GENERATION=")
    }
    assert (len(services), generations) == (3, {"GENERATION=old", "GENERATION=by-id"})


def test_the_policy_never_and_an_image_that_is_not_there(rig: Rig, start: Start) -> None:
    """No registry is asked, and the author is told so at once."""
    name = rig.special("tests/nowhere:1")
    request = JobRequest(image=name, image_options={"pull_policy": ["never"]})
    allowed = {"allowed_pull_policies": ["always", "never"]}
    call = prepare(start(request, {**NO_DIND, "docker": allowed}))
    words = f'failed to pull image "{name}" with specified policies [never]: No such image: {name}.'
    assert_error(call, BUILD_FAILURE, words, "the pull policy forbids pulling it")
    assert f"Pulling docker image {name}" not in call.output


def test_one_image_for_two_platforms(
    start: Start, witness: Witness, images: Images, own_registry: OwnRegistry
) -> None:
    """Each service runs what it asked for, and the job's image is the engine's own kind."""
    own_registry.start()
    name = f"{own_registry.host}/tests/both:1"
    for architecture in ("amd64", "arm64"):
        image = images.relabelled("alpine", architecture)
        images.publish(image, f"{own_registry.host}/tests/both:{architecture}")
    own_registry.combine("tests/both", "1", ["amd64", "arm64"])
    stay = {"name": name, "command": ["sleep", "600"]}
    request = JobRequest(
        image=name,
        services=[
            {**stay, "executor_opts": {"docker": {"platform": f"linux/{each}", "user": ""}}}
            for each in ("amd64", "arm64")
        ],
    )
    job = start(request, NO_DIND)
    said = prepare(job).passed().output
    found = {
        each.attrs["Name"].rpartition("-")[2]: witness.architecture(each)
        for each in witness.containers(job.id)
        if not each.attrs["Name"].endswith("-helper")
    }
    assert found == {"build": "amd64", "0": "amd64", "1": "arm64"}
    assert f"Pulling docker image {name} for platform linux/arm64 ...\n" in said


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
    assert "unknown blob" in call.stderr or "could not fetch content" in call.stderr


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
    """The job ends as a system failure after a few attempts, though the engine has the image.

    A registry whose name does not resolve is such a failure, too.
    """
    name = f"{own_registry.host}/tests/down:1"
    images.tag(images.known("alpine"), name)
    nowhere = "registry.invalid/tests/nowhere:1"
    call = prepare(start(JobRequest(image=name, services=[{"name": nowhere}]), NO_DIND))
    assert call.code == SYSTEM_FAILURE
    for each, words in ((name, "connection refused"), (nowhere, "lookup registry.invalid")):
        tries = re.findall(rf'Failed to pull image "{each}" \(.*\), retrying: .*', call.output)
        assert [words in line for line in tries] == [True, True], call.output
    assert "The registry did not answer" in call.stderr


def test_a_digest_is_pulled_as_such(rig: Rig, start: Start, witness: Witness) -> None:
    """An image named by digest runs, and the log shows the digest."""
    digest = witness.client.images.get_registry_data(rig.special("tools/web:1")).id
    name = f"{rig.hub}/tools/web@{digest}"
    job = start(JobRequest(image=name), NO_DIND)
    said = job.up().output
    assert f"Pulling docker image {name} ...\n" in said
    assert f" for {name} with digest {name} ...\n" in said
