"""Images by their pull policies, and the words in the job log, on an engine that is a stub."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.budgets.records import Records
from executor.engine.docker import Engine
from executor.errors import (
    ExecutorError,
    ImageUnavailable,
    PolicyViolation,
    PullInterrupted,
    SettingsError,
)
from executor.log import AdministratorLog
from executor.plan.credentials import Catalogue, Entry
from executor.spec import ImagePlan, Pull
from executor.stages.prepare.images import Pulls
from tests.builders import a_login
from tests.engine.stub import StubEngine, events, http, refusal, stub_engine

NAME = "registry.local/alpine:3"
DIGEST = "registry.local/alpine@sha256:" + "d" * 64
LOCAL, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
PULLED = events({"status": "Digest: sha256:" + "d" * 64})
OVERLOADED = refusal(500, "received unexpected HTTP status: 502 Bad Gateway")
DENIED = refusal(404, "manifest unknown")


class Sample:
    """The images of a job, on an engine that may have one of them."""

    def __init__(self, stub: StubEngine) -> None:
        self.stub = stub
        self.said: list[str] = []
        stub.on("GET", "/images/.*/json", refusal(404, "No such image"))
        self.has(DIGEST, NEW, [DIGEST])
        catalogue = Catalogue((Entry("registry.local", a_login(), "$DOCKER_AUTH_CONFIG"),))
        self.records = Records(str(stub.path.parent), stub.host)
        self.pulls = Pulls(
            Engine(stub.api()),
            catalogue,
            AdministratorLog("prepare"),
            self.said.append,
            self.records,
        )

    def has(self, path: str, image: str, digests: list[str], architecture: str = "amd64") -> None:
        """Let the engine have an image."""
        facts = {"Id": image, "RepoDigests": digests, "Os": "linux", "Architecture": architecture}
        self.stub.on("GET", f"/images/{path}/json", http(200, facts))

    def has_local(self, architecture: str = "amd64") -> None:
        """Let the engine have an older image of the name."""
        self.has(NAME, LOCAL, [], architecture)

    def registry(self, *answers: bytes) -> None:
        """Let pulls end so, the last answer for good."""
        left = list(answers)
        self.stub.on(
            "POST",
            "/images/create",
            lambda connection, _: connection.send(left.pop(0) if len(left) > 1 else left[0]),
        )

    @property
    def pulled(self) -> int:
        """Return how often the registry was asked."""
        return len(self.stub.asked("POST", "/images/create"))


@pytest.fixture
def sample(tmp_path: Path, mocker: MockerFixture) -> Iterator[Sample]:
    """Return images on a stub; pauses between pulls are left out."""
    mocker.patch("executor.engine.images.time.sleep")
    with stub_engine(tmp_path) as stub:
        yield Sample(stub)


def test_always_asks_the_registry(sample: Sample) -> None:
    """The registry is asked whatever the engine has."""
    sample.has_local()
    sample.registry(PULLED)

    assert sample.pulls.fetch(Pull(NAME)).id == NEW
    assert sample.said == [
        f"Using effective pull policy of [always] for container {NAME}",
        "Authenticating with credentials from $DOCKER_AUTH_CONFIG",
        f"Pulling docker image {NAME} ...",
        f"Using docker image {NEW} for {NAME} with digest {DIGEST} ...",
    ]


def test_always_does_not_fall_back(sample: Sample) -> None:
    """An image that is on the engine alone is none."""
    sample.has_local()
    sample.registry(DENIED)

    with pytest.raises(ImageUnavailable) as caught:
        sample.pulls.fetch(Pull(NAME))

    assert sample.pulled == 1
    assert str(caught.value) == (
        f'failed to pull image "{NAME}" with specified policies [always]: manifest unknown.'
        " Check the image's name and tag. If the registry needs a login, give the job one"
        " (DOCKER_AUTH_CONFIG, or access of the project to the registry)."
    )


def test_if_not_present_takes_what_is_there(sample: Sample) -> None:
    """No registry is asked and no login looked for."""
    sample.has_local()

    assert sample.pulls.fetch(Pull(NAME, policies=("if-not-present",))).id == LOCAL
    assert sample.pulled == 0
    assert sample.said == [
        f"Using effective pull policy of [if-not-present] for container {NAME}",
        f'Using locally found image version due to "if-not-present" pull policy for "{NAME}"',
        f"Using docker image {LOCAL} for {NAME} ...",
    ]


def test_if_not_present_pulls_what_is_not_there(sample: Sample) -> None:
    """An image that is not there is pulled once."""
    sample.registry(PULLED)

    assert sample.pulls.fetch(Pull(NAME, policies=("if-not-present",))).id == NEW
    assert sample.pulled == 1


def test_another_platform_is_not_there(sample: Sample) -> None:
    """The engine's image of that name is for something else."""
    sample.has_local("arm64")
    sample.registry(PULLED)
    wanted = Pull(NAME, "linux/amd64", ("if-not-present",))

    assert sample.pulls.fetch(wanted).id == NEW
    assert f"Pulling docker image {NAME} for platform linux/amd64 ..." in sample.said
    with pytest.raises(ImageUnavailable, match="No such image for platform linux/amd64: "):
        sample.pulls.fetch(Pull(NAME, "linux/amd64", ("never",)))


def test_never(sample: Sample) -> None:
    """The job gets what is there, and nothing is pulled."""
    with pytest.raises(ImageUnavailable, match=r"with specified policies \[never\]: No such image"):
        sample.pulls.fetch(Pull(NAME, policies=("never",)))
    sample.has_local()

    assert sample.pulls.fetch(Pull(NAME, policies=("never",))).id == LOCAL
    assert sample.pulled == 0


def test_the_next_policy_is_tried(sample: Sample) -> None:
    """The next policy follows a registry that does not serve, with gitlab-runner's lines."""
    sample.has_local()
    sample.registry(OVERLOADED)

    facts = sample.pulls.fetch(Pull(NAME, policies=("always", "if-not-present")))

    assert facts.id == LOCAL
    assert sample.pulled == 3
    assert sample.said[-4:] == [
        (
            f'WARNING: Failed to pull image with policy "always": {NAME}: received unexpected HTTP'
            " status: 502 Bad Gateway"
        ),
        f'Attempt #2: Trying "if-not-present" pull policy for "{NAME}"',
        f'Using locally found image version due to "if-not-present" pull policy for "{NAME}"',
        f"Using docker image {LOCAL} for {NAME} ...",
    ]


def test_all_policies_fail(sample: Sample) -> None:
    """The last failure counts, and all policies are named."""
    sample.registry(DENIED)

    with pytest.raises(ImageUnavailable, match=r"policies \[always if-not-present\]: manifest"):
        sample.pulls.fetch(Pull(NAME, policies=("always", "if-not-present")))

    assert sample.pulled == 2


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        ([OVERLOADED] * 2, None),
        ([OVERLOADED] * 3, PullInterrupted),
        ([refusal(500, "dial tcp: lookup registry: no such host")] * 3, PullInterrupted),
        ([DENIED], ImageUnavailable),
    ],
)
def test_what_may_pass_is_tried_again(
    sample: Sample, failures: list[bytes], error: type[ExecutorError] | None
) -> None:
    """A policy makes three attempts at what may pass, and one at what will not."""
    sample.registry(*failures, PULLED)

    if error:
        with pytest.raises(error):
            sample.pulls.fetch(Pull(NAME))
    else:
        assert sample.pulls.fetch(Pull(NAME)).id == NEW

    assert sample.pulled == (3 if error is not ImageUnavailable else 1)
    words = f'WARNING: Failed to pull image "{NAME}" (attempt #1), retrying: '
    assert any(line.startswith(words) for line in sample.said) is (error is not ImageUnavailable)


def test_an_id_is_never_pulled(sample: Sample) -> None:
    """It is there or not, and needs no line that says which image it stands for."""
    with pytest.raises(ImageUnavailable, match="No such image: sha256:"):
        sample.pulls.fetch(Pull(LOCAL))
    sample.has(LOCAL, LOCAL, [])

    assert sample.pulls.fetch(Pull(LOCAL)).id == LOCAL
    assert sample.pulled == 0
    assert sample.said[-1].startswith("Using effective pull policy")


def test_an_image_of_the_settings_is_the_administrators(sample: Sample) -> None:
    """The message names the settings key."""
    sample.registry(DENIED)

    with pytest.raises(SettingsError, match=r"`\[dind\] image` of the runner's settings: failed"):
        sample.pulls.fetch(Pull(NAME, chosen_by="[dind] image"))


def planned(runners: str) -> ImagePlan:
    """Return the part of a plan that says which helper gitlab-runner would take."""
    return ImagePlan(NAME, Pull(NAME), (), None, runners, "prebuilt-none")


def test_the_runners_own_helper_is_not_pulled_if_it_is_there(sample: Sample) -> None:
    """No policy pulls it where it is there; where it is not, the job log says which it is."""
    sample.has_local()
    assert sample.pulls.helper(Pull(NAME), planned(NAME)).id == LOCAL
    assert (sample.pulled, sample.said) == (0, [])


@pytest.mark.parametrize(
    ("runners", "line"),
    [
        (NAME, f"Using helper image:  {NAME}"),
        ("other:1", f"Using helper image:  {NAME}  (overridden, default would be  other:1 )"),
    ],
)
def test_which_helper_it_is(sample: Sample, runners: str, line: str) -> None:
    """The line has gitlab-runner's words; the administrator's image follows the pull policy."""
    sample.registry(PULLED)

    assert sample.pulls.helper(Pull(NAME), planned(runners)).id == NEW
    assert (sample.pulled, sample.said[0]) == (1, line)


HELPER = '"credHelpers": {"registry.local": "ecr"}'


@pytest.mark.parametrize(
    ("policy", "answer", "remedies"),
    [
        (
            "always",
            "no basic auth credentials",
            ["Check the image's name and tag.", f"The job's DOCKER_AUTH_CONFIG has {HELPER}, and"],
        ),
        ("always", "Schema 1 support has been removed", ["The image has an old or unknown format"]),
        ("never", "", ["The image is not on this host and the pull policy forbids pulling it"]),
    ],
)
def test_a_helper_that_did_not_run_is_named_where_it_counts(
    sample: Sample, policy: str, answer: str, remedies: list[str]
) -> None:
    """The error of an image that is denied says which line has to move where; the name may be wrong."""
    sample.registry(refusal(500, answer))
    catalogue = Catalogue(unused_helpers=(("registry.local", HELPER),))
    pulls = Pulls(
        Engine(sample.stub.api()),
        catalogue,
        AdministratorLog("prepare"),
        sample.said.append,
        sample.records,
    )

    with pytest.raises(ImageUnavailable) as caught:
        pulls.fetch(Pull(NAME, policies=(policy,)))

    assert [each for each in remedies if each not in str(caught.value)] == []
    assert ("credHelpers" in str(caught.value)) is (len(remedies) > 1)


@pytest.mark.parametrize("answer", [DENIED, OVERLOADED])
def test_a_dind_image_that_stands_for_another(sample: Sample, answer: bytes) -> None:
    """Both keys are named, and no further prepare repeats what cannot change."""
    sample.registry(answer)
    pull = Pull(NAME, chosen_by="[dind] image", instead_of="corp/my-dind:1")
    sample.pulls.task(replace(pull, instead_of=""))
    sample.pulls.task(pull)

    with pytest.raises(PolicyViolation) as caught:
        sample.pulls.facts(Pull(NAME))

    assert str(caught.value).startswith(
        'The job\'s dind image "corp/my-dind:1" is not on the list of `[dind] allowed_images`, and'
        " `[dind] image`, which runs instead, is not available."
    )
    assert "failed to pull image" in str(caught.value)


def test_the_hosts_image_where_the_registry_is_down(sample: Sample) -> None:
    """It follows the last try where it will do, and the job log says so."""
    sample.has_local()
    sample.registry(OVERLOADED)

    assert sample.pulls.fetch(Pull(NAME, falls_back=True)).id == LOCAL
    assert sample.pulled == 3
    assert sample.said[-2:] == [
        (
            f'WARNING: The registry of "{NAME}" does not serve: received unexpected HTTP status: 502'
            " Bad Gateway. The job uses the image that this host already has, which may be out of"
            " date (`[docker] when_registry_is_down`)."
        ),
        f"Using docker image {LOCAL} for {NAME} ...",
    ]


@pytest.mark.parametrize(
    ("answer", "architecture", "platform", "may"),
    [
        (OVERLOADED, "amd64", "", False),
        (OVERLOADED, "arm64", "linux/amd64", True),
        (DENIED, "amd64", "", True),
        (refusal(500, "x509: certificate has expired"), "amd64", "", True),
    ],
    ids=["not admitted", "another platform", "refused", "not trusted"],
)
def test_the_hosts_image_will_not_do(
    sample: Sample, answer: bytes, architecture: str, platform: str, *, may: bool
) -> None:
    """It stands in for nothing that was refused, nor for another platform."""
    sample.has_local(architecture)
    sample.registry(answer)

    with pytest.raises(ExecutorError):
        sample.pulls.fetch(Pull(NAME, platform, falls_back=may))


def test_an_image_that_the_host_does_not_have(sample: Sample) -> None:
    """The error is that of the registry."""
    sample.registry(OVERLOADED)

    with pytest.raises(PullInterrupted, match="502 Bad Gateway"):
        sample.pulls.fetch(Pull(NAME, falls_back=True))


# --- what came, and when it was used -------------------------------------------------------------

NEWER = events(
    {"status": "Digest: sha256:" + "d" * 64},
    {"status": "Status: Downloaded newer image for " + NAME},
)


def test_an_image_that_a_pull_brings_is_noted(sample: Sample) -> None:
    """The record has the name, and the setting that chose the image."""
    sample.registry(NEWER)

    sample.pulls.fetch(Pull(NAME, chosen_by="[dind] image"))

    (record,) = sample.records.known().images.items()
    assert record[0] == NEW
    assert (record[1].names, record[1].chosen_by) == ((NAME,), "[dind] image")


def test_an_image_that_was_there_is_not_a_jobs(sample: Sample) -> None:
    """The pull says that it is up to date: somebody else brought it."""
    sample.registry(PULLED)

    sample.pulls.fetch(Pull(NAME))

    assert sample.records.known().images == {}


def test_an_image_in_place_of_the_administrators_is_his(sample: Sample) -> None:
    """The name was there before, with an image that no job had pulled."""
    sample.has_local()
    sample.registry(NEWER)

    sample.pulls.fetch(Pull(NAME))

    assert sample.records.known().images == {}


def test_a_record_is_younger_after_each_use(sample: Sample) -> None:
    """An image that is found on the engine is used, too."""
    sample.has_local()
    sample.records.image_came(LOCAL, NAME, "", "")
    (place,) = sample.stub.path.parent.glob("used-*/image-*")
    os.utime(place, (1000, 1000))

    sample.pulls.fetch(Pull(NAME, policies=("if-not-present",)))

    assert sample.records.known().images[LOCAL].used > 1000
